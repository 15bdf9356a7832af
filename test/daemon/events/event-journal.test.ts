import { afterEach, describe, expect, test } from "bun:test";
import { appendFileSync, mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { NetworkEvent } from "../../../lib/base/network-event.ts";
import { silentLog } from "../../../lib/base/world.ts";
import { askedBy } from "../../../lib/daemon/events/asked-by.ts";
import { EventFile } from "../../../lib/daemon/events/event-file.ts";
import { EventJournal } from "../../../lib/daemon/events/event-journal.ts";

const clock = { nowMs: 1000, now: () => clock.nowMs, monotonicMs: () => clock.nowMs };
const folders: string[] = [];

afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true });
  clock.nowMs = 1000;
});

function folder(): string {
  const made = mkdtempSync(join(tmpdir(), "weave-events-"));
  folders.push(made);
  return made;
}

const gone = (journal: EventJournal, container: string): void =>
  journal.emit("container.gone", { container });
const containers = (events: readonly NetworkEvent[]): unknown[] =>
  events.map((event) => (event.kind === "container.gone" ? event.details.container : event.kind));

describe("a journal", () => {
  test("tells what has happened, in order, from an id, a time or of a kind on", () => {
    const journal = new EventJournal(clock);
    gone(journal, "a");
    clock.nowMs = 2000;
    gone(journal, "b");
    journal.emit("link.established", { peer: "7a:00:00:00:00:01", nickname: "host1" });
    expect(journal.read().map(({ id, atMs, kind }) => [id, atMs, kind])).toEqual([
      [1, 1000, "container.gone"],
      [2, 2000, "container.gone"],
      [3, 2000, "link.established"],
    ]);
    expect(containers(journal.read({ afterId: 1, kinds: ["container"] }))).toEqual(["b"]);
    expect(journal.read({ sinceMs: 1500 })).toHaveLength(2);
    expect(journal.read({ kinds: ["link.established", "name"] })).toHaveLength(1);
    expect(journal.read({ kinds: ["link.est"] })).toEqual([]);
  });

  test("finds what is about a container or a peer, by how an id begins and by nickname", () => {
    const journal = new EventJournal(clock);
    gone(journal, "5ac1aa");
    gone(journal, "5ac1bb");
    const peer = { peer: "7a:00:00:00:00:01", nickname: "host1" };
    journal.emit("link.established", peer);
    journal.emit("host.mended", { what: "put the bridge up" });
    expect(containers(journal.read({ containers: ["5ac1a"] }))).toEqual(["5ac1aa"]);
    expect(journal.read({ containers: ["5ac1", "x"] })).toHaveLength(2);
    expect(journal.read({ containers: [""] })).toEqual([]);
    for (const name of Object.values(peer)) {
      expect(journal.read({ peers: [name] }).map(({ id }) => id)).toEqual([3]);
    }
    expect(journal.read({ peers: ["host1"], kinds: ["peer"] })).toEqual([]);
  });

  test("says who asked, of what somebody may have asked for, also when it took its time", async () => {
    const journal = new EventJournal(clock);
    const by = { kind: "cli", user: "alice", pid: 7 } as const;
    await askedBy(by, async () => {
      await Promise.resolve();
      gone(journal, "a");
      journal.emit("link.established", { peer: "7a:00:00:00:00:01", nickname: "host1" });
    });
    gone(journal, "b");
    expect(journal.read().map((event) => event.by)).toEqual([by, undefined, undefined]);
  });

  test("tells followers until they have heard enough", () => {
    const journal = new EventJournal(clock);
    const heard: NetworkEvent[] = [];
    const end = journal.follow((event) => heard.push(event));
    gone(journal, "a");
    end();
    gone(journal, "b");
    expect(containers(heard)).toEqual(["a"]);
  });

  test("is bounded, and keeps the latest", () => {
    const journal = new EventJournal(clock);
    for (let number = 0; number < 20_000; number++) {
      clock.nowMs += 100;
      gone(journal, `${number}`);
    }
    const kept = journal.read();
    expect(kept.length).toBeLessThanOrEqual(8192);
    expect(kept.at(-1)!.id).toBe(20_000);
    expect(kept[0]!.id).toBe(20_001 - kept.length);
  });

  test("keeps what happened seldom, however long others come in a flood", () => {
    const journal = new EventJournal(clock);
    journal.emit("host.mended", { what: "put the bridge up" });
    for (let number = 0; number < 100_000; number++) {
      clock.nowMs += 50;
      gone(journal, "flood");
    }
    const kept = journal.read();
    expect(kept.length).toBeLessThanOrEqual(8192);
    expect(kept.map(({ kind }) => kind).indexOf("host.mended")).toBe(0);
    expect(kept.slice(1).every(({ kind }) => kind === "container.gone")).toBeTrue();
  });

  test("thins out a kind that comes in a flood, says so, and loses nothing else", () => {
    const journal = new EventJournal(clock);
    for (let number = 0; number < 10_000; number++) gone(journal, "flood");
    journal.emit("host.mended", { what: "put the bridge up" });
    expect(journal.read()).toHaveLength(201);
    clock.nowMs += 1000;
    gone(journal, "later");
    expect(journal.read().slice(-2)).toMatchObject([
      { kind: "events.skipped", details: { kind: "container.gone", count: 9800 } },
      { kind: "container.gone", details: { container: "later" } },
    ]);
  });
});

describe("a journal with a file", () => {
  test("goes on after the last event of the former run", () => {
    const path = join(folder(), "events.jsonl");
    {
      using file = new EventFile(path, silentLog);
      const journal = new EventJournal(clock, file);
      gone(journal, "a");
      askedBy({ kind: "proxy" }, () => gone(journal, "b"));
    }
    using file = new EventFile(path, silentLog);
    const journal = new EventJournal(clock, file);
    gone(journal, "c");
    expect(containers(journal.read())).toEqual(["a", "b", "c"]);
    expect(journal.read()[1]!.by).toEqual({ kind: "proxy" });
    expect(journal.read().map(({ id }) => id)).toEqual([1, 2, 3]);
    expect(statSync(path).mode & 0o777).toBe(0o600);
  });

  test("passes over what it cannot read", () => {
    const path = join(folder(), "events.jsonl");
    const good = { id: 4, atMs: 5, kind: "container.gone", details: { container: "a" } };
    writeFileSync(path, `${JSON.stringify(good)}\n{"id":"5"}\nnonsense\n`);
    const others = [
      { ...good, id: 6, kind: "of.another.release" },
      { ...good, id: 7, kind: "toString" },
      // As another release might have had it.
      { ...good, id: 8, kind: "container.attached", details: { container: "a", address: "b" } },
      { ...good, id: 9, atMs: 1e300 },
    ];
    for (const other of others) appendFileSync(path, `${JSON.stringify(other)}\n`);
    appendFileSync(path, '{"id":');
    using file = new EventFile(path, silentLog);
    const journal = new EventJournal(clock, file);
    expect(journal.read().map(({ id }) => id)).toEqual([4]);
  });

  test("loses no event to a line that a failure of power cut off", () => {
    const path = join(folder(), "events.jsonl");
    writeFileSync(path, '{"id":1,"atMs":5,"ki');
    {
      using file = new EventFile(path, silentLog);
      gone(new EventJournal(clock, file), "a");
    }
    using file = new EventFile(path, silentLog);
    expect(containers(new EventJournal(clock, file).read())).toEqual(["a"]);
  });

  test("is written again when that works again", () => {
    const lines: string[] = [];
    const note = (line: string) => void lines.push(line);
    const absent = join(folder(), "absent");
    const path = join(absent, "events.jsonl");
    using file = new EventFile(path, { ...silentLog, warn: note, info: note });
    const journal = new EventJournal(clock, file);
    gone(journal, "a");
    mkdirSync(absent);
    gone(journal, "b");
    using again = new EventFile(path, silentLog);
    expect(containers(new EventJournal(clock, again).read())).toEqual(["b"]);
    expect(lines).toHaveLength(2);
    expect(lines[1]).toBe(`events are kept in ${path} again`);
  });

  test("begins another before it grows beyond its bound, and reads both", () => {
    const path = join(folder(), "events.jsonl");
    using file = new EventFile(path, silentLog);
    const journal = new EventJournal(clock, file);
    const container = "x".repeat(1 << 20);
    for (let number = 0; number < 6; number++) gone(journal, container + number);
    expect(statSync(`${path}.1`).size).toBeLessThan(6 << 20);
    using again = new EventFile(path, silentLog);
    expect(new EventJournal(clock, again).read()).toHaveLength(6);
  });

  test("goes on without where nothing can be written, and says it once", () => {
    const lines: string[] = [];
    const log = { ...silentLog, warn: (line: string) => void lines.push(line) };
    using file = new EventFile(join(folder(), "absent", "events.jsonl"), log);
    const journal = new EventJournal(clock, file);
    gone(journal, "a");
    gone(journal, "b");
    expect(containers(journal.read())).toEqual(["a", "b"]);
    expect(lines).toHaveLength(1);
    expect(lines[0]).toContain("events.jsonl");
  });
});
