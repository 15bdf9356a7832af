import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import {
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { NetworkEvent } from "../../../lib/base/network-event.ts";
import { silentLog } from "../../../lib/base/world.ts";
import { AuditFile } from "../../../lib/daemon/events/audit-file.ts";

let folder: string;
let path: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "weave-audit-"));
  path = join(folder, "audit.jsonl");
});

afterEach(() => rmSync(folder, { recursive: true }));

const gone = (id: number, container = "c1"): NetworkEvent => ({
  ...{ id, atMs: 1000, kind: "container.gone", details: { container } },
  by: { kind: "engine" },
});

/** Ids of what is in a file. */
const ids = (file: string): number[] =>
  readFileSync(file, "utf8")
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line).id);

describe("a file of the operator's", () => {
  test("gets a document for each event, for root alone", () => {
    const file = new AuditFile(path, silentLog);
    file.take(gone(1));
    file.stop();
    expect(JSON.parse(readFileSync(path, "utf8"))).toEqual({
      ...{ id: 1, at: "1970-01-01T00:00:01.000Z", kind: "container.gone" },
      ...{ text: "container c1 is gone", details: { container: "c1" }, by: { kind: "engine" } },
    });
    expect(statSync(path).mode & 0o777).toBe(0o600);
    expect(file.status()).toEqual({ sent: 1, lost: 0, waiting: 0 });
  });

  test("is begun anew when somebody has renamed or deleted it", () => {
    const file = new AuditFile(path, silentLog);
    file.take(gone(1));
    renameSync(path, `${path}-2026`);
    file.take(gone(2));
    rmSync(path);
    file.take(gone(3));
    expect(ids(`${path}-2026`)).toEqual([1]);
    expect(ids(path)).toEqual([3]);
  });

  test("is written at its end when somebody has cut it off", () => {
    const file = new AuditFile(path, silentLog);
    file.take(gone(1));
    truncateSync(path, 0);
    file.take(gone(2));
    expect(ids(path)).toEqual([2]);
  });

  test("has every event on a line of its own, also after a line that was cut off", () => {
    writeFileSync(path, '{"id":1,"at":"20');
    const file = new AuditFile(path, silentLog);
    file.take(gone(2));
    expect(readFileSync(path, "utf8")).toMatch(/^\{"id":1,"at":"20\n\{"id":2,.*\}\n$/);
  });

  test("is renamed at its bound, so that two files are all that there ever is", () => {
    const file = new AuditFile(path, silentLog, 1000);
    for (let id = 1; id <= 50; id++) file.take(gone(id));
    expect(statSync(path).size).toBeLessThan(1200);
    expect(statSync(`${path}.1`).size).toBeLessThan(1200);
    expect([...ids(`${path}.1`), ...ids(path)].at(-1)).toBe(50);
  });

  test("that cannot be written is said once, counted, and tried again", () => {
    const lines: string[] = [];
    const note = (line: string) => void lines.push(line);
    const absent = join(folder, "absent");
    const file = new AuditFile(join(absent, "a"), { ...silentLog, warn: note, info: note });
    file.take(gone(1));
    file.take(gone(2));
    expect(lines).toHaveLength(1);
    expect(lines[0]).toContain("ENOENT");
    expect(file.status()).toMatchObject({ sent: 0, lost: 2, trouble: expect.any(String) });
    mkdirSync(absent);
    file.take(gone(3));
    expect(ids(join(absent, "a"))).toEqual([3]);
    expect(file.status()).toEqual({ sent: 1, lost: 2, waiting: 0 });
    expect(lines[1]).toContain("2 were lost");
  });

  test("is no pipe, which would have to be waited for", () => {
    const file = new AuditFile("/dev/null", silentLog);
    file.take(gone(1));
    expect(file.status()).toMatchObject({ lost: 1, trouble: "what is there is no file" });
  });
});
