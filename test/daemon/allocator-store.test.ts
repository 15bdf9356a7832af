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
});
