import type { Database } from "bun:sqlite";
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseIpv4 } from "../../lib/base/ip.ts";
import { parsePeerName } from "../../lib/base/peer-name.ts";
import { SqliteAllocatorStore } from "../../lib/daemon/allocator-store.ts";
import { openDatabase } from "../../lib/daemon/database.ts";

const folder = mkdtempSync(join(tmpdir(), "weave-allocator-"));
const self = parsePeerName("::1");
const start = parseIpv4("10.32.0.0");
const ring = {
  universe: { start, end: start + 4096 },
  entries: [{ token: start, peer: self, version: 3, free: 4094 }],
  seeds: [self, parsePeerName("::2")],
};
const held = (ident: string, host: number, isContainer: boolean) => ({
  ident,
  isContainer,
  cidr: { address: start + host, prefix: 20 },
});
const nothing = { self, reset: false, ring: undefined, removed: [], added: [] };

let database: Database;

beforeAll(() => {
  database = openDatabase(join(folder, "weave.db"));
});

afterAll(() => {
  database.close();
  rmSync(folder, { recursive: true });
});

describe("the stored allocations", () => {
  test("are none at first", () => {
    expect(new SqliteAllocatorStore(database).load()).toBeUndefined();
  });

  test("are read as they were written, in the order of acquisition", () => {
    const store = new SqliteAllocatorStore(database);
    store.save({ ...nothing, ring, added: [held("c2", 2, true), held("weave:expose", 1, false)] });
    store.save({ ...nothing, removed: [start + 9], added: [held("c2", 2, true)] });
    expect(store.load()).toEqual({
      self,
      ring,
      held: [held("c2", 2, true), held("weave:expose", 1, false)],
    });
    store.save({ ...nothing, removed: [start + 2] });
    expect(store.load()?.held).toEqual([held("weave:expose", 1, false)]);
  });

  test("are forgotten by a reset, all in one", () => {
    const store = new SqliteAllocatorStore(database);
    store.save({ ...nothing, reset: true, added: [held("c3", 3, true)] });
    expect(store.load()).toEqual({ self, ring: undefined, held: [held("c3", 3, true)] });
  });

  test("that are damaged say what to do", () => {
    database.run("UPDATE setting SET value = '{}' WHERE name = 'ipam-owner'");
    expect(() => new SqliteAllocatorStore(database).load()).toThrow("cannot be read");
  });

  const address = (column: string, value: number) =>
    `UPDATE address SET ${column} = ${value} WHERE ident = 'c3'`;
  const ringWith = (change: object) => {
    const entries = [{ token: start, peer: "::1", version: 3, free: 4094, ...change }];
    const text = JSON.stringify({ ...ring, seeds: [], entries });
    return `INSERT OR REPLACE INTO setting VALUES ('ipam-ring', '${text}')`;
  };

  for (const [what, statement] of Object.entries({
    "an address beyond 32 bits": address("address", 2 ** 32),
    "an address below zero": address("address", -1),
    "a prefix of 33 bits": address("prefix", 33),
    "a token between two addresses": ringWith({ token: start + 0.5 }),
    "a version below zero": ringWith({ version: -1 }),
  })) {
    test(`in which ${what} stands are refused`, () => {
      const database = openDatabase(":memory:");
      const store = new SqliteAllocatorStore(database);
      store.save({ ...nothing, ring, added: [held("c3", 3, true)] });
      expect(store.load()?.held).toHaveLength(1);
      database.run(statement);
      expect(() => store.load()).toThrow("cannot be read");
      database.close();
    });
  }
});

test("what a peer promised to the council is read as it was written", () => {
  const decree = {
    epoch: 4,
    removalEpoch: 3,
    afterMs: 86_400_000,
    heir: self,
    roster: [{ peer: self, incarnation: 2 ** 48 - 1 }],
    taken: [{ peer: parsePeerName("::9"), epoch: 3 }],
    forgottenEpoch: 0,
    moved: [{ start: 0x0a20_0000, end: 0x0a20_0100 }],
  };
  const ballot = { round: 7, proposer: parsePeerName("::2") };
  const acceptor = {
    promised: ballot,
    accepted: undefined,
    fenced: [parsePeerName("::3")],
    withheld: [{ start: 0x0a20_0200, end: 0x0a20_0280 }],
  };
  const confirmed = [{ start: 0xffff_ff00, end: 2 ** 32 }];
  const leaseWallMs = 1_700_000_000_000;
  const witness = { tenureMs: 7, silences: [{ peer: parsePeerName("::9"), silenceMs: 3_600_000 }] };
  const council = { incarnation: 5, decree, acceptor, leaseWallMs, confirmed, witness };
  const store = new SqliteAllocatorStore(database);
  store.save({ ...nothing, council });
  expect(store.load()?.council).toEqual(council);
  const voted = { ...council, acceptor: { ...acceptor, accepted: { ballot, decree } } };
  store.save({ ...nothing, council: voted });
  expect(store.load()?.council).toEqual(voted);
  store.save({ ...nothing, reset: true });
  expect(store.load()?.council).toBeUndefined();
});
