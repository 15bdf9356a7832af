import { afterAll, describe, expect, test } from "bun:test";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  claimPidFile,
  readPidFile,
  releasePidFile,
  runningRouter,
  startTicksOf,
} from "../../lib/daemon/pid-file.ts";

const folder = mkdtempSync(join(tmpdir(), "weave-pid-"));
const path = join(folder, "weave.pid");

afterAll(() => rmSync(folder, { recursive: true }));

describe("the pid file", () => {
  test("names this process while it holds the folder", () => {
    claimPidFile(path);
    expect(runningRouter(path)).toEqual({
      pid: process.pid,
      startTicks: startTicksOf(process.pid)!,
    });
    releasePidFile(path);
    expect(readPidFile(path)).toBeUndefined();
  });

  test("of a live router refuses a second one", () => {
    writeFileSync(path, `1 ${startTicksOf(1)}\n`);
    expect(() => claimPidFile(path)).toThrow("already running");
  });

  test("whose process id was given to another process is not believed", () => {
    writeFileSync(path, "1 123456789012\n");
    expect(runningRouter(path)).toBeUndefined();
    claimPidFile(path);
    releasePidFile(path);
  });

  test("with nonsense in it is replaced", () => {
    writeFileSync(path, "not a pid");
    expect(runningRouter(path)).toBeUndefined();
    claimPidFile(path);
    expect(readPidFile(path)?.pid).toBe(process.pid);
    releasePidFile(path);
  });
});
