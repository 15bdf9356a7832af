import { expect, test } from "bun:test";
import { decodeGob, gob } from "../../lib/wire/gob.ts";
import { MemoryStore } from "./memory-store.ts";
import { hourMs, ReclaimCluster } from "./reclaim-cluster.ts";

const council = (cluster: ReclaimCluster, number: number) =>
  cluster.host(number).allocator!.status().reclaim!;

test("peers that are all there and of our kind form a council with leases", () => {
  const cluster = new ReclaimCluster({ size: 4 }).form();
  for (const { name } of cluster.hosts) {
    const { members, leaseLeftMs, mayUse } = council(cluster, name);
    expect(members.map(Number)).toEqual([1, 2, 3, 4]);
    expect(leaseLeftMs).toBeGreaterThan(6.5 * hourMs);
    expect(mayUse).toBe(true);
  }
  expect(cluster.refusals).toEqual([]);
});

const minuteMs = 60_000;
/** Half an hour instead of a day, so that a test takes as long as it should. */
const short = { afterMs: 30 * minuteMs };

test("the ranges of a dead peer go to the others after a while, and not before", () => {
  const cluster = new ReclaimCluster({ size: 4, ...short }).form();
  cluster.host(4).kill();
  cluster.pass(29 * minuteMs);
  expect(cluster.owner(1).has("4")).toBe(true);
  cluster.pass(3 * minuteMs);
  for (const number of [1, 2, 3]) {
    expect(cluster.owner(number).has("4")).toBe(false);
    expect(council(cluster, number).members.map(Number)).toEqual([1, 2, 3]);
  }
  expect(cluster.refusals).toEqual([]);
});

test("newcomers, who cannot tell yet, do not keep those waiting who can", () => {
  const cluster = new ReclaimCluster({ size: 36, ...short });
  // The first 16 have the first turns; all others but the last are as many as must agree.
  const newcomers = cluster.hosts.slice(0, 16);
  for (const host of newcomers) host.kill();
  cluster.form().host(36).kill();
  cluster.pass(20 * minuteMs);
  for (const host of newcomers) host.start();
  cluster.pass(5 * minuteMs);
  expect(council(cluster, 17).members).toHaveLength(36);
  cluster.pass(6 * minuteMs);
  expect(council(cluster, 17).members).toHaveLength(35);
  expect(cluster.refusals).toEqual([]);
});

test("a minority gives out nothing once its leases are over, and goes on when it is back", () => {
  const cluster = new ReclaimCluster({ size: 5, ...short }).form();
  cluster.split(1, 4, 5);
  cluster.pass(5 * minuteMs);
  expect(cluster.holds(4, cluster.allocate(4))).toBe(true);
  cluster.pass(6 * minuteMs);
  const waiting = cluster.allocate(4);
  cluster.pass(minuteMs);
  expect(cluster.holds(4, waiting)).toBe(false);
  expect(council(cluster, 4)).toMatchObject({ mayUse: false, leaseLeftMs: 0 });
  expect(cluster.holds(1, cluster.allocate(1))).toBe(true);
  cluster.heal();
  cluster.pass(2 * minuteMs);
  expect(cluster.holds(4, waiting)).toBe(true);
});

test("a peer that comes back too late yields its ranges and claims what is in use again", () => {
  const cluster = new ReclaimCluster({ size: 4, ...short }).form();
  const ident = cluster.allocate(4);
  cluster.pass(minuteMs);
  const [address] = cluster.host(4).allocator!.lookup(ident);
  cluster.split(1, 4);
  cluster.pass(40 * minuteMs);
  expect(cluster.owner(1).has("4")).toBe(false);
  cluster.heal();
  cluster.pass(3 * minuteMs);
  expect(cluster.host(4).lines.join()).toContain("was gone for too long");
  expect(cluster.host(4).allocator!.lookup(ident)).toEqual([address!]);
  expect(council(cluster, 4)).toMatchObject({ mayUse: true });
  expect(council(cluster, 1).members.map(Number)).toEqual([1, 2, 3, 4]);
  expect(cluster.refusals).toEqual([]);
});

test("a restart within the lease goes on at once, one after it waits for the others", () => {
  const cluster = new ReclaimCluster({ size: 3, ...short }).form();
  const alone = cluster.host(3);
  cluster.split(1, 3);
  alone.kill();
  cluster.pass(2 * minuteMs);
  alone.start();
  expect(cluster.holds(3, cluster.allocate(3))).toBe(true);
  alone.kill();
  cluster.pass(12 * minuteMs);
  alone.start();
  expect(cluster.holds(3, cluster.allocate(3))).toBe(false);
});

test("a machine that slept longer than its lease gives out nothing when it wakes up", () => {
  const cluster = new ReclaimCluster({ size: 3, ...short }).form();
  const sleeper = cluster.host(3);
  cluster.split(1, 3);
  const frozenAt = sleeper.monotonicMs();
  cluster.clock.run(40 * minuteMs);
  sleeper.sleptMs = cluster.clock.nowMs - frozenAt;
  expect(cluster.holds(3, cluster.allocate(3))).toBe(false);
});

test("a wall clock that was set back across a restart ends the lease", () => {
  const cluster = new ReclaimCluster({ size: 3, ...short }).form();
  const host = cluster.host(3);
  cluster.split(1, 3);
  host.kill();
  host.skewMs = -60 * minuteMs;
  host.start();
  expect(cluster.holds(3, cluster.allocate(3))).toBe(false);
});

test("a peer that lost its disk is admitted anew", () => {
  const cluster = new ReclaimCluster({ size: 4, ...short }).form();
  const host = cluster.host(4);
  host.kill();
  host.store = new MemoryStore();
  cluster.pass(minuteMs);
  host.start();
  cluster.pass(3 * minuteMs);
  expect(council(cluster, 4)).toMatchObject({ mayUse: true });
  expect(cluster.holds(4, cluster.allocate(4))).toBe(true);
});

test("there is no council while one peer is of another kind, and it ends when one is off", () => {
  const cluster = new ReclaimCluster({ size: 4, off: [4], ...short }).form();
  expect(council(cluster, 1)).toMatchObject({ epoch: 0, members: [], mayUse: true });
  cluster.host(4).kill();
  cluster.host(4).start();
  cluster.pass(3 * minuteMs);
  expect(council(cluster, 1).members).toHaveLength(4);
  cluster.host(2).kill();
  cluster.host(2).start(0);
  cluster.pass(3 * minuteMs);
  for (const number of [1, 2, 3, 4]) {
    expect(council(cluster, number)).toMatchObject({ members: [], mayUse: true });
  }
});

test("three of four members are dead: an operator who says so sets the last one free", () => {
  const cluster = new ReclaimCluster({ size: 4, ...short }).form();
  for (const number of [2, 3, 4]) cluster.host(number).kill();
  cluster.pass(15 * minuteMs);
  expect(council(cluster, 1).mayUse).toBe(false);
  for (const name of ["::2", "::3", "::4"]) {
    cluster.host(1).allocator!.takeover(name, { force: false });
  }
  cluster.pass(minuteMs);
  expect(council(cluster, 1)).toMatchObject({ members: [], mayUse: true });
  expect([...cluster.owner(1)]).toEqual(["1"]);
});

test("a peer of the original reads our messages and takes no harm of the extension", () => {
  const cluster = new ReclaimCluster({ size: 3, ...short }).form();
  const [payload] = cluster.host(1).allocator!.channel.full()!.encode();
  const plain = gob.struct("gossipState", {
    Now: gob.int64,
    Nicknames: gob.map(gob.uint, gob.string),
    Ring: gob.optional(gob.struct("Ring", { Start: gob.uint, End: gob.uint })),
  });
  expect(decodeGob(plain, payload!).Ring).toEqual({ Start: 0x0a00_0000, End: 0x0a00_0400 });
});

test("a council ends when a peer of another kind has come to stay, which then gets addresses", () => {
  const cluster = new ReclaimCluster({ size: 4, ...short });
  cluster.host(4).kill();
  cluster.form();
  expect(council(cluster, 1).members).toHaveLength(3);
  cluster.host(4).start(0);
  const ident = cluster.allocate(4);
  cluster.pass(30_000);
  expect(cluster.holds(4, ident)).toBe(false);
  cluster.pass(3 * minuteMs);
  expect(council(cluster, 1)).toMatchObject({ members: [], mayUse: true });
  expect(cluster.holds(4, ident)).toBe(true);
});

test("restarts of those who wait put nothing off but the time that they were down", () => {
  const cluster = new ReclaimCluster({ size: 4, ...short }).form();
  cluster.host(4).kill();
  for (let restarts = 0; restarts < 5; restarts++) {
    cluster.pass(5 * minuteMs);
    for (const number of [1, 2, 3]) {
      cluster.host(number).kill();
      cluster.pass(minuteMs / 2);
      cluster.host(number).start();
    }
  }
  expect(cluster.owner(1).has("4")).toBe(true);
  cluster.pass(12 * minuteMs);
  expect(cluster.owner(1).has("4")).toBe(false);
});

test("a silence that ended is forgotten on the disk before a lease is granted", () => {
  const cluster = new ReclaimCluster({ size: 4, ...short }).form();
  const silences = () => cluster.host(1).store.load()?.council?.witness.silences;
  cluster.split(1, 4);
  cluster.pass(20 * minuteMs);
  expect(silences()?.map(({ peer }) => Number(peer))).toEqual([4]);
  expect(silences()?.[0]?.silenceMs).toBeGreaterThan(15 * minuteMs);
  expect(council(cluster, 4).leaseLeftMs).toBe(0);
  cluster.heal();
  cluster.until(() => (council(cluster, 4).leaseLeftMs ?? 0) > 0);
  expect(silences()).toEqual([]);
});
