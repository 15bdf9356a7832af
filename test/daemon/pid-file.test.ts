import { afterAll, describe, expect, test } from "bun:test";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  claimPidFile,
  isDying,
  isKilled,
  readPidFile,
  releasePidFile,
  runningRouter,
  startTicksOf,
} from "../../lib/daemon/pid-file.ts";
import { linesOf } from "../hosts/traffic.ts";

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

  test("goes to one of several that claim it at once", async () => {
    const claimants = Array.from({ length: 6 }, () =>
      Bun.spawn([process.execPath, join(import.meta.dir, "claim-pid-file.ts"), path], {
        stdin: "pipe",
        stdout: "pipe",
      }),
    );
    const answers = claimants.map(({ stdout }) => linesOf(stdout));
    const next = () =>
      Promise.all(answers.map(async (answer) => (await answer.next()).value ?? ""));
    await next();
    for (const { stdin } of claimants) {
      stdin.write("now\n");
      stdin.flush();
    }
    const told = (await next()).sort();
    expect(told).toEqual([...Array(5).fill("ALREADY_RUNNING"), "claimed"]);
    for (const { stdin } of claimants) stdin.end();
    await Promise.all(claimants.map(({ exited }) => exited));
    expect(runningRouter(path)).toBeUndefined();
  });

  test("with nonsense in it is replaced", () => {
    writeFileSync(path, "not a pid");
    expect(runningRouter(path)).toBeUndefined();
    claimPidFile(path);
    expect(readPidFile(path)?.pid).toBe(process.pid);
    releasePidFile(path);
  });
});

describe("a process", () => {
  const status = (thread: string, group: string) =>
    `Name:\tweave\nState:\tR (running)\nSigPnd:\t${thread}\nShdPnd:\t${group}\nSigBlk:\t0000000000000100\n`;
  const none = "0000000000000000";

  test("that was killed is on its way out, also while it gives up what it had", () => {
    expect(isKilled(status("0000000000000100", "0000000000000100"))).toBe(true);
    expect(isKilled(status(none, "0000000000004100"))).toBe(true);
  });

  test("that was asked to end may stay", () => {
    expect(isKilled(status(none, "0000000000004000"))).toBe(false);
    expect(isKilled("")).toBe(false);
  });

  test("that lives, or that is none, is not on its way out", () => {
    expect(isDying(process.pid)).toBe(false);
    expect(isDying(2 ** 22)).toBe(false);
  });
});
