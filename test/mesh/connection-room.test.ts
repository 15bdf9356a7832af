import { describe, expect, test } from "bun:test";
import { ConnectionRoom } from "../../lib/mesh/connection-room.ts";

describe("the share of its limit that a peer fills by itself", () => {
  test("is all of it where everybody fits, two thirds in a larger cluster, and never nothing", () => {
    const shares = (limit: number): number[] =>
      [0, limit, limit + 1, 1000].map((others) => new ConnectionRoom(limit, () => 0).share(others));
    expect(shares(30)).toEqual([30, 30, 20, 20]);
    expect(shares(200)).toEqual([200, 200, 134, 134]);
    expect(shares(1)).toEqual([1, 1, 1, 1]);
    expect(new ConnectionRoom(0, () => 0).share(1000)).toBe(Number.POSITIVE_INFINITY);
  });
});

describe("room for connections", () => {
  test("is taken by connections and by attempts that go on", () => {
    let connections = 1;
    const room = new ConnectionRoom(4, () => connections);
    const release = room.reserve("10.0.0.2");
    expect([room.free(), room.free(2), room.free(1)]).toEqual([2, 0, 0]);
    release();
    connections = 2;
    release();
    expect(room.free()).toBe(2);
    connections = 9;
    expect(room.free()).toBe(0);
  });

  test("is kept for who comes from where an attempt goes to", () => {
    const room = new ConnectionRoom(1, () => 0);
    room.reserve("10.0.0.2");
    expect([room.freeFor("10.0.0.2"), room.freeFor("10.0.0.3")]).toEqual([1, 0]);
  });

  test("has no end without a limit", () => {
    const room = new ConnectionRoom(0, () => 1_000_000);
    room.reserve("10.0.0.2");
    expect([room.free(), room.freeFor("10.0.0.3")]).toEqual([
      Number.POSITIVE_INFINITY,
      Number.POSITIVE_INFINITY,
    ]);
  });
});
