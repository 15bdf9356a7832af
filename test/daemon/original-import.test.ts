import { afterEach, beforeEach, expect, test } from "bun:test";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { errorCode } from "../../lib/base/errors.ts";
import { formatIpv4Cidr } from "../../lib/base/ip.ts";
import { formatPeerName, parsePeerName } from "../../lib/base/peer-name.ts";
import { silentLog } from "../../lib/base/world.ts";
import { SqliteAllocatorStore } from "../../lib/daemon/allocator-store.ts";
import { openDatabase } from "../../lib/daemon/database.ts";
import { importOriginal } from "../../lib/daemon/original-import.ts";
import { settlePeerName } from "../../lib/daemon/peer-identity.ts";
import { SettingsStore } from "../../lib/daemon/settings-store.ts";
import { MemoryStore } from "../ipam/memory-store.ts";
import { TestPeer } from "../ipam/test-peer.ts";

const sample = new URL("../vectors/ipam/persistence-sample-data.db", import.meta.url).pathname;
const bytes = await Bun.file(sample).bytes();
const peer = "7a:9f:eb:b6:0c:6e";

let folder: string;
let database: ReturnType<typeof openDatabase>;
let stores: { settings: SettingsStore; allocations: SqliteAllocatorStore };

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "weave-import-"));
  database = openDatabase(join(folder, "weave.db"));
  stores = {
    settings: new SettingsStore(database),
    allocations: new SqliteAllocatorStore(database),
  };
});

afterEach(() => {
  database.close();
  rmSync(folder, { recursive: true });
});

test("a router goes on as the peer of an imported database, with its addresses and targets", () => {
  expect(importOriginal(sample, stores, silentLog)).toBe(true);
  expect(stores.settings.targets()).toEqual(["192.168.48.11", "192.168.48.12:6783"]);
  const { name } = settlePeerName({ weaveBridge: "weave-none" }, stores.settings);
  expect(formatPeerName(name)).toBe(peer);
  const state = stores.allocations.load()!;
  expect(formatPeerName(state.self)).toBe(peer);
  expect(state.held.map(({ cidr }) => formatIpv4Cidr(cidr)).sort()).toEqual([
    "10.40.0.0/12",
    "10.40.0.1/12",
    "10.40.0.2/12",
    "10.40.7.9/24",
  ]);
  expect(state.ring?.entries.map(({ version }) => version)).toEqual([0, 4]);
});

test("state of our own is not replaced", () => {
  stores.allocations.save({
    self: parsePeerName("::1"),
    ring: undefined,
    added: [],
    removed: [],
    reset: false,
  });
  expect(importOriginal(sample, stores, silentLog)).toBe(false);
  expect(stores.allocations.load()?.self).toBe(parsePeerName("::1"));
  expect(stores.settings.targets()).toEqual([]);
});

test("a damaged or missing file is refused, and nothing of it is taken", () => {
  const copy = join(folder, "weavedata.db");
  const damages: Uint8Array[] = [
    bytes.subarray(0, 5000),
    new Uint8Array(8192),
    bytes.map((octet, at) => (at > 2 * 4096 + 16 ? octet ^ 0x55 : octet)),
  ];
  for (const damage of damages) {
    writeFileSync(copy, damage);
    expect(() => importOriginal(copy, stores, silentLog)).toThrow(`cannot import ${copy}`);
    expect(stores.allocations.load()).toBeUndefined();
  }
  try {
    importOriginal(join(folder, "nothing"), stores, silentLog);
  } catch (error) {
    expect(errorCode(error)).toBe("IMPORT_UNREADABLE");
  }
});

test("an allocator goes on from an imported database", () => {
  importOriginal(sample, stores, silentLog);
  const store = new MemoryStore(stores.allocations.load());
  const { allocator } = new TestPeer({ name: peer, store });
  expect(allocator.lookup("weave:expose").map(formatIpv4Cidr)).toEqual(["10.40.0.1/12"]);
  expect(allocator.status()).toMatchObject({ activeAddresses: 4, conflicts: [] });
});
