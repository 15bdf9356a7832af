import { beforeEach, describe, expect, test } from "bun:test";
import type { PeerName } from "../../lib/base/peer-name.ts";
import { MacTable, macAgeMaxMs, macHoldDownMs, macSweepMs } from "../../lib/overlay/mac-table.ts";

const local = 1 as PeerName;
const other = 2 as PeerName;
const third = 3 as PeerName;
const mac = 0xfe4100000001;

let moves: [number, PeerName, PeerName][];
let table: MacTable;

beforeEach(() => {
  moves = [];
  table = new MacTable({ local, moved: (...move) => moves.push(move) });
});

describe("learning", () => {
  test("a captured frame says its sender is here", () => {
    expect(table.learnCaptured(mac, 0)).toBe(true);
    expect(table.lookup(mac)).toBe(local);
  });

  test("a received frame says its sender is at that peer", () => {
    table.learnReceived(mac, other, 0);
    expect(table.lookup(mac)).toBe(other);
  });

  test("a frame that claims to come from a group teaches nothing", () => {
    for (const group of [0xffffffffffff, 0x01005e000001, 0x333300000001]) {
      expect(table.learnCaptured(group, 0)).toBe(true);
      table.learnReceived(group, other, 0);
      expect(table.lookup(group)).toBeUndefined();
    }
    expect(table.size).toBe(0);
  });

  test("an address that another peer sends from moves there at once, and the former one is told", () => {
    table.learnReceived(mac, other, 0);
    table.learnReceived(mac, third, 1);
    expect(table.lookup(mac)).toBe(third);
    expect(moves).toEqual([[mac, other, third]]);
  });

  test("a container of ours that moved away is followed at once", () => {
    table.learnCaptured(mac, 0);
    table.learnReceived(mac, other, 1);
    expect(table.lookup(mac)).toBe(other);
    expect(moves).toEqual([[mac, local, other]]);
  });

  test("a frame captured while its sender is heard elsewhere is a loop and is discarded", () => {
    table.learnReceived(mac, other, 0);
    expect(table.learnCaptured(mac, macHoldDownMs - 1)).toBe(false);
    expect(table.lookup(mac)).toBe(other);
    expect(moves).toEqual([]);
  });

  test("a looping frame never wins as long as the other peer keeps sending", () => {
    for (let nowMs = 0; nowMs < 60_000; nowMs += macHoldDownMs - 1) {
      table.learnReceived(mac, other, nowMs);
      expect(table.learnCaptured(mac, nowMs + 1)).toBe(false);
    }
  });

  test("a container that moved in is believed once its former peer is quiet", () => {
    table.learnReceived(mac, other, 0);
    expect(table.learnCaptured(mac, macHoldDownMs)).toBe(true);
    expect(table.lookup(mac)).toBe(local);
    expect(moves).toEqual([[mac, other, local]]);
  });
});

describe("ageing", () => {
  test("an address silent for more than ten minutes disappears at the next sweep", () => {
    table.learnReceived(mac, other, 0);
    table.sweep(0);
    for (let nowMs = macSweepMs; nowMs <= macAgeMaxMs; nowMs += macSweepMs) table.sweep(nowMs);
    expect(table.lookup(mac)).toBe(other);
    table.sweep(macAgeMaxMs + macSweepMs);
    expect(table.lookup(mac)).toBeUndefined();
  });

  test("an address that keeps sending stays", () => {
    for (let nowMs = 0; nowMs < 3 * macAgeMaxMs; nowMs += macSweepMs) {
      table.learnReceived(mac, other, nowMs);
      table.sweep(nowMs);
    }
    expect(table.size).toBe(1);
  });

  test("sweeping says when it is due and does nothing before", () => {
    table.sweep(5);
    expect(table.sweepAtMs).toBe(5 + macSweepMs);
    table.learnReceived(mac, other, -2 * macAgeMaxMs);
    table.sweep(4 + macSweepMs);
    expect(table.size).toBe(1);
  });

  test("a peer that leaves takes its addresses with it", () => {
    table.learnReceived(mac, other, 0);
    table.learnReceived(mac + 1, third, 0);
    table.forgetPeer(other);
    expect(table.list()).toEqual([{ mac: mac + 1, peer: third, lastSeenMs: 0 }]);
  });
});

describe("residents", () => {
  test("a silent container of ours is not forgotten, so frames for it are not flooded", () => {
    table.setResidents([mac], 0);
    table.sweep(10 * macAgeMaxMs);
    expect(table.lookup(mac)).toBe(local);
  });

  test("a container that is attached here is here, wherever it was", () => {
    table.learnReceived(mac, other, 0);
    table.setResidents([mac], 1);
    expect(table.lookup(mac)).toBe(local);
    expect(moves).toEqual([[mac, other, local]]);
  });

  test("a container that left ages like any other", () => {
    table.setResidents([mac], 0);
    table.setResidents([], 1);
    table.sweep(macAgeMaxMs + 1);
    expect(table.size).toBe(0);
  });
});

test("a flood of invented addresses fills the table and then changes nothing", () => {
  const small = new MacTable({ local, entriesMax: 4 });
  small.learnCaptured(mac, 0);
  for (let i = 1; i <= 100; i++) small.learnReceived(mac + i, other, i);
  expect(small.size).toBe(4);
  expect(small.refused).toBe(97);
  expect(small.lookup(mac)).toBe(local);
});

test("the list is sorted by address", () => {
  for (const at of [3, 1, 2]) table.learnReceived(at, other, at);
  expect(table.list().map((entry) => entry.mac)).toEqual([1, 2, 3]);
});

test("a container of ours has its place also in a table that others have filled", () => {
  const small = new MacTable({ local, entriesMax: 4 });
  for (let i = 1; i <= 100; i++) small.learnReceived(mac + i, other, i);
  small.setResidents([mac], 200);
  expect(small.lookup(mac)).toBe(local);
  expect(small.refused).toBe(96);
});
