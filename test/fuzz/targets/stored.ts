import { existsSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fromUtf8, utf8 } from "../../../lib/base/bytes.ts";
import { formatIpv4Cidr, parseIpv4Cidr } from "../../../lib/base/ip.ts";
import { SqliteAllocatorStore } from "../../../lib/daemon/allocator-store.ts";
import { openDatabase } from "../../../lib/daemon/database.ts";
import { decodeLaunchOptions } from "../../../lib/daemon/launch-options.ts";
import { launchOptions } from "../../../lib/daemon/launch-validation.ts";
import { SettingsStore } from "../../../lib/daemon/settings-store.ts";
import type { AllocatorStore } from "../../../lib/ipam/allocator-store.ts";
import { readOriginalState } from "../../../lib/ipam/original-state.ts";
import { MemoryStore } from "../../ipam/memory-store.ts";
import { TestPeer } from "../../ipam/test-peer.ts";
import { recordedBytes } from "../recorded.ts";
import { type FuzzTarget, fingerprint, refusable } from "../target.ts";

const self = "01:00:00:00:00:01";
const universe = "10.32.0.0/12";
/** Why stored data may be refused at the start of a router. */
const refusals = ["STORE_DAMAGED", "STORE_UNUSABLE", "STORE_NEWER", "IPAM_STATE_INVALID"];

/** Starts an allocator on what is stored, and has it do a little of everything. */
function goOnFrom(store: AllocatorStore, name = self, range = universe): void {
  const peer = new TestPeer({ name, universe: range, store: new Relay(store) });
  const { allocator } = peer;
  allocator.allocate("new", parseIpv4Cidr(range), { isContainer: true }).catch(() => {});
  peer.pass(10);
  const held = allocator.list().flatMap(({ cidrs }) => cidrs);
  for (const cidr of held) parseIpv4Cidr(formatIpv4Cidr(cidr));
  for (const payload of allocator.channel.full()?.encode() ?? [])
    allocator.channel.onGossip(peer.name, payload);
  allocator.status();
  allocator.stop();
}

/** Any store in the place that test peers have for one. */
class Relay extends MemoryStore {
  readonly #store: AllocatorStore;

  constructor(store: AllocatorStore) {
    super();
    this.#store = store;
  }

  override load() {
    return this.#store.load();
  }

  override save(change: Parameters<AllocatorStore["save"]>[0]): void {
    this.#store.save(change);
  }
}

/** What `weave launch` tells the router's process. */
export const launchOptionsTarget: FuzzTarget = {
  name: "launch-options",
  corpus() {
    const words = new Map([
      ["password", "secret"],
      ["trusted-subnets", "10.0.0.0/8,fd00::/8"],
      ["ipalloc-range", "10.2.0.0/16"],
    ]);
    const facts = { hostname: "host1" };
    const text = (flag: string): string | undefined => words.get(flag);
    const options = [
      launchOptions({ peers: ["10.0.0.2", "host3:6783"], enabled: () => false, text }, facts),
      launchOptions({ peers: [], enabled: () => true, text: () => undefined }, facts),
    ];
    return options.map((each) => utf8(JSON.stringify(each)));
  },
  begin: () => ({
    consume: (bytes) =>
      refusable(["LAUNCH_OPTIONS"], () => decodeLaunchOptions(fromUtf8(bytes))) !== undefined,
  }),
};

const storedRing = {
  universe: { start: 0x0a200000, end: 0x0a300000 },
  entries: [
    { token: 0x0a200000, peer: self, version: 3, free: 100 },
    { token: 0x0a280000, peer: "02:00:00:00:00:02", version: 7, free: 0x80000 },
  ],
  seeds: [self, "02:00:00:00:00:02"],
};

/** Owner, ring and addresses as a router stores them, in one text with a line for each. */
const storedTexts = [
  [self, JSON.stringify(storedRing), "c1 169869313 12 1", "c2 169869314 12 0"],
  [self, JSON.stringify({ ...storedRing, entries: [] }), "weave:expose 169869320 16 0"],
  ["02:00:00:00:00:02", JSON.stringify(storedRing), "c1 1 32 1"],
].map((lines) => lines.join("\n"));

function store(bytes: Uint8Array): ReturnType<typeof openDatabase> {
  const [owner = "", ring = "", ...addresses] = fromUtf8(bytes).split("\n");
  const database = openDatabase(":memory:");
  const setting = database.query("INSERT INTO setting VALUES (?, ?)");
  setting.run("ipam-owner", owner);
  setting.run("ipam-ring", ring);
  const row = database.query(
    "INSERT OR IGNORE INTO address (ident, address, prefix, is_container) VALUES (?, ?, ?, ?)",
  );
  for (const line of addresses) {
    const [ident = "", ...numbers] = line.split(" ");
    const [address = 0, prefix = 0, isContainer = 0] = numbers.map(storableInteger);
    row.run(ident, address, prefix, isContainer);
  }
  return database;
}

/** SQLite itself refuses to store anything else in these columns. */
function storableInteger(text: string): bigint {
  const digits = /^-?\d{1,18}$/.exec(text)?.[0];
  return digits === undefined ? 0n : BigInt(digits);
}

/** Damaged values in a sound database. */
export const storedTarget: FuzzTarget = {
  name: "stored",
  corpus: () => storedTexts.map(utf8),
  begin: () => ({
    consume(bytes) {
      using database = store(bytes);
      const loaded = refusable(refusals, () => {
        goOnFrom(new SqliteAllocatorStore(database));
        return true;
      });
      return loaded === true;
    },
  }),
};

const originalName = "7a:9f:eb:b6:0c:6e";
const originalRange = "10.32.0.0/12";

/** Damaged values of the database that an original left behind. */
export const originalStateTarget: FuzzTarget = {
  name: "original-state",
  corpus: () => recordedBytes(["ipam/persistence"], /^value_hex$/),
  begin() {
    const values = recordedBytes(["ipam/persistence"], /^value_hex$/);
    const names = ["ownedAddresses", "peername", "ring"] as const;
    // The recording has two more values before these, and one behind.
    const good = { ownedAddresses: values[2], peername: values[3], ring: values[4] };
    return {
      consume(bytes) {
        const damaged = { ...good, [names[fingerprint(bytes) % 3]!]: bytes };
        const state = refusable([...refusals, "GOB_*", "PEER_NAME_RANGE"], () => {
          const read = readOriginalState(damaged);
          goOnFrom(new MemoryStore(read), originalName, originalRange);
          return read;
        });
        return state !== undefined;
      },
    };
  },
};

/** A database file with a little of everything, as octets. */
function databaseFile(): Uint8Array {
  using database = openDatabase(":memory:");
  const settings = new SettingsStore(database);
  settings.saveSetting("peer-name", self);
  settings.saveTargets(["10.0.0.2", "host3:6783"]);
  settings.saveExposure({ cidr: "10.32.0.1/12", masquerade: true });
  settings.saveName({ fqdn: "one.weave.local", ident: "c1", address: "10.32.0.2" });
  goOnFrom(new SqliteAllocatorStore(database));
  return database.serialize();
}

/** In memory where there is such a folder: a million databases are a lot for a disk. */
const scratchFolder = existsSync("/dev/shm") ? "/dev/shm" : tmpdir();

/** A database whose file was damaged: opened, and read and written as a router does at its start. */
export const databaseTarget: FuzzTarget = {
  name: "database",
  corpus: () => [databaseFile()],
  begin() {
    const path = join(scratchFolder, `weave-fuzz-${process.pid}.db`);
    const remove = (): void => {
      for (const end of ["", "-wal", "-shm", "-journal"]) rmSync(path + end, { force: true });
    };
    return {
      consume(bytes) {
        writeFileSync(path, bytes);
        const opened = refusable([...refusals, "STORE_WRITE"], () => {
          using database = openDatabase(path);
          const settings = new SettingsStore(database);
          settings.saveSetting("peer-name", settings.setting("peer-name") ?? self);
          settings.saveTargets(settings.targets());
          settings.exposures();
          settings.names();
          goOnFrom(new SqliteAllocatorStore(database));
          return true;
        });
        remove();
        return opened === true;
      },
      end: remove,
    };
  },
};
