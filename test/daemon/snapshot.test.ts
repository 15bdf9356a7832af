import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseIpv4Cidr } from "../../lib/base/ip.ts";
import { parsePeerName } from "../../lib/base/peer-name.ts";
import { SqliteAllocatorStore } from "../../lib/daemon/allocator-store.ts";
import { openDatabase } from "../../lib/daemon/database.ts";
import { type Paths, pathsFrom } from "../../lib/daemon/paths.ts";
import { writePidFile } from "../../lib/daemon/pid-file.ts";
import { makeFolders } from "../../lib/daemon/process.ts";
import { SettingsStore } from "../../lib/daemon/settings-store.ts";
import { formatSnapshot, parseSnapshot, type SnapshotState } from "../../lib/daemon/snapshot.ts";
import { restoreSnapshot, takeSnapshot } from "../../lib/daemon/snapshot-store.ts";

const self = parsePeerName("00:00:00:00:00:01");
const other = parsePeerName("00:00:00:00:00:02");
const universe = { start: 0x0a20_0000, end: 0x0a30_0000 };
const ring = {
  universe,
  entries: [
    { token: 0x0a20_0000, peer: self, version: 3, free: 100 },
    { token: 0x0a28_0000, peer: other, version: 1, free: 0x8_0000 },
  ],
  seeds: [self, other],
};
const state: SnapshotState = {
  peerName: self,
  targets: ["192.168.48.11", "host3:7000"],
  exposed: [{ cidr: "10.32.0.1/12", masquerade: false }],
  names: [{ fqdn: "web.weave.local.", ident: "netns:/run/netns/web", address: "10.32.0.2" }],
  allocations: {
    owner: self,
    held: [
      { ident: "weave:expose", cidr: parseIpv4Cidr("10.32.0.1/12"), isContainer: false },
      { ident: "netns:/run/netns/web", cidr: parseIpv4Cidr("10.32.0.2/12"), isContainer: true },
    ],
    ring,
  },
};
const savedAt = "2026-01-02T03:04:05.000Z";
const text = formatSnapshot({ savedAt, state });

describe("a snapshot", () => {
  test("is read as it was written, indented or not", () => {
    expect(parseSnapshot(text)).toEqual({ savedAt, state });
    expect(parseSnapshot(JSON.stringify(JSON.parse(text)))).toEqual({ savedAt, state });
    const empty = { targets: [], exposed: [], names: [] };
    expect(parseSnapshot(formatSnapshot({ savedAt, state: empty })).state).toEqual(empty);
  });

  test("is refused when its state was changed, cut off, or is of a newer program", () => {
    for (const [from, to] of [
      ["10.32.0.2/12", "10.32.0.3/12"],
      ["host3:7000", "host4:7000"],
      ['"masquerade": false', '"masquerade": true'],
    ] as const) {
      expect(() => parseSnapshot(text.replace(from, to))).toThrow("its checksum is wrong");
    }
    for (let length = 0; length < text.length - 2; length += 7) {
      expect(() => parseSnapshot(text.slice(0, length))).toThrow("this is no snapshot");
    }
    const newer = text.replace('"weaveSnapshot": 1', '"weaveSnapshot": 2');
    expect(() => parseSnapshot(newer)).toThrow("written by a newer weave");
    for (const wrong of ["null", "[]", "{}", '"text"']) {
      expect(() => parseSnapshot(wrong)).toThrow("this is no snapshot");
    }
  });
});

describe("the state of a host", () => {
  let folder = "";
  let paths: Paths;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "weave-snapshot-"));
    paths = pathsFrom({
      WEAVE_RUN_DIR: join(folder, "run"),
      WEAVE_STATE_DIR: join(folder, "state"),
    });
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  const restore = (options: { force?: boolean; ranges?: boolean } = {}) =>
    restoreSnapshot(text, paths, { force: false, ranges: false, ...options });
  const saved = () => parseSnapshot(takeSnapshot(paths).text).state;

  test("is that of the snapshot, who owns what only where that was asked for", () => {
    expect(restore().extent).toEqual({ addresses: 2, exposed: 1, names: 1, targets: 2 });
    const { ring: _, ...allocations } = state.allocations!;
    expect(saved()).toEqual({ ...state, allocations });
    restore({ force: true, ranges: true });
    expect(saved()).toEqual(state);
  });

  test("is saved beside a router that has it open", () => {
    makeFolders(paths);
    const database = openDatabase(paths.database);
    new SettingsStore(database).saveTargets(["host2"]);
    expect(saved().targets).toEqual(["host2"]);
    database.close();
  });

  test("stays when there is some already, when a router runs, and when a snapshot is damaged", () => {
    expect(() => takeSnapshot(paths)).toThrow("no state");
    makeFolders(paths);
    const database = openDatabase(paths.database);
    new SettingsStore(database).saveTargets(["host2"]);
    database.close();
    expect(() => restore()).toThrow("there is state");
    const damaged = text.replace("host3", "host4");
    const options = { force: true, ranges: false };
    expect(() => restoreSnapshot(damaged, paths, options)).toThrow("checksum");
    for (const file of [paths.pidFile, paths.keeperFile]) {
      writePidFile(file, process.pid);
      expect(() => restore({ force: true })).toThrow("the router runs");
      rmSync(file);
    }
    expect(saved().targets).toEqual(["host2"]);
  });

  test("forgets what its peer promised to the others", () => {
    makeFolders(paths);
    const database = openDatabase(paths.database);
    const settings = new SettingsStore(database);
    settings.saveSetting("ipam-council", "promises");
    settings.saveSetting("run-peers", "[]");
    database.close();
    restore({ force: true });
    const after = openDatabase(paths.database);
    expect(new SettingsStore(after).setting("ipam-council")).toBeUndefined();
    expect(new SettingsStore(after).setting("run-peers")).toBeUndefined();
    expect(new SqliteAllocatorStore(after).load()?.ring).toBeUndefined();
    after.close();
  });
});
