import { describe, expect, test } from "bun:test";
import { withSeed } from "../sim/world.ts";
import { peerNameOf, ReclaimingCluster } from "./reclaiming-cluster.ts";

const names = ["n1", "n2", "n3", "n4", "n5"];

/** Enough for locks, turns, and those whom others left something to. */
const patienceMs = 600_000;

async function settled(cluster: ReclaimingCluster): Promise<void> {
  const { turns } = cluster;
  await turns.until(
    () => cluster.isSettled(),
    patienceMs,
    () => cluster.describe(),
  );
  expect(cluster.wrongs).toEqual([]);
}

/** All five are there, and from now on everything may take some time. */
async function fiveNodes(
  seed: number,
  { slownessMs = 1500, originals = [] as readonly string[] } = {},
): Promise<ReclaimingCluster> {
  const cluster = new ReclaimingCluster(seed);
  for (const name of originals) cluster.originals.add(name);
  for (const name of names) cluster.add(name);
  await settled(cluster);
  cluster.turns.slownessMs = slownessMs;
  return cluster;
}

const times = (cluster: ReclaimingCluster, name: string) =>
  cluster.taken.filter((each) => each.endsWith(` ${peerNameOf(name)}`)).length;

/** Runs many histories, and says whose seed it was that failed. */
async function seeds(count: number, history: (seed: number) => Promise<void>): Promise<void> {
  for (let seed = 1; seed <= count; seed++) {
    await withSeed(seed, (each) => history(each)).catch((cause) => {
      throw new Error(`failed with seed ${seed}: ${String(cause)}`, { cause });
    });
  }
}

describe("the ranges of a node that is removed", () => {
  test("are taken once, by one of all others, within ten seconds", () =>
    seeds(25, async (seed) => {
      const cluster = await fiveNodes(seed, { slownessMs: 0 });
      cluster.remove("n5");
      const beganMs = cluster.clock.nowMs;
      await settled(cluster);
      expect(cluster.clock.nowMs - beganMs).toBeLessThan(10_000);
      expect(times(cluster, "n5")).toBe(1);
    }));

  test("are taken once each, when two are removed at once", () =>
    seeds(25, async (seed) => {
      const cluster = await fiveNodes(seed);
      cluster.remove("n4");
      cluster.remove("n5");
      await settled(cluster);
      expect([times(cluster, "n4"), times(cluster, "n5")]).toEqual([1, 1]);
    }));

  test("come to somebody also when who takes them is removed midway", () =>
    seeds(25, async (seed) => {
      const cluster = await fiveNodes(seed);
      cluster.remove("n5");
      const taker = () =>
        names.find((name) => cluster.list().holderOf(peerNameOf("n5")) === peerNameOf(name));
      await cluster.turns.until(
        () => taker() !== undefined,
        patienceMs,
        () => cluster.describe(),
      );
      const second = taker()!;
      await cluster.turns.steps(cluster.turns.below(25));
      cluster.remove(second);
      await settled(cluster);
      expect(times(cluster, second)).toBe(1);
      expect(cluster.owners.size).toBe(5);
    }));

  test("are taken once also where nodes of the original are among the others, or are removed", () =>
    seeds(25, async (seed) => {
      const cluster = await fiveNodes(seed, { originals: ["n1", "n2", "n4"] });
      cluster.remove("n4");
      cluster.remove("n5");
      await settled(cluster);
      expect([times(cluster, "n4"), times(cluster, "n5")]).toEqual([1, 1]);
    }));

  test("are taken by the same one that crashed midway, once it runs again", () =>
    seeds(25, async (seed) => {
      const cluster = await fiveNodes(seed);
      cluster.remove("n5");
      const holder = () => cluster.list().holderOf(peerNameOf("n5"));
      await cluster.turns.until(
        () => holder() !== undefined,
        patienceMs,
        () => cluster.describe(),
      );
      const taker = names.find((name) => peerNameOf(name) === holder())!;
      await cluster.turns.steps(cluster.turns.below(12));
      cluster.crash(taker);
      await cluster.turns.steps(200);
      cluster.start(taker);
      await settled(cluster);
      const takers = cluster.taken.map((each) => each.split(" ")[0]);
      expect([...new Set(takers)].length).toBe(1);
    }));
});

describe("a node that is there", () => {
  test("loses nothing while its router is away, however long", () =>
    seeds(25, async (seed) => {
      const cluster = await fiveNodes(seed);
      cluster.crash("n5");
      cluster.remove("n4");
      cluster.clock.run(600_000);
      await cluster.turns.steps(500);
      cluster.start("n5");
      await settled(cluster);
      expect(times(cluster, "n5")).toBe(0);
      expect(cluster.owners.get(peerNameOf("n5"))).toBe(peerNameOf("n5"));
    }));

  test("is not robbed when its object was removed by mistake, while its router runs", () =>
    seeds(25, async (seed) => {
      const cluster = await fiveNodes(seed);
      cluster.cluster.delete("nodes", "n5");
      await cluster.turns.steps(800);
      expect(times(cluster, "n5")).toBe(0);
      cluster.addNode("n5");
      await settled(cluster);
      expect(times(cluster, "n5")).toBe(0);
    }));

  test("that comes back while its ranges are being taken keeps them, or begins anew", () =>
    seeds(25, async (seed) => {
      const cluster = await fiveNodes(seed);
      cluster.remove("n5");
      await cluster.turns.steps(cluster.turns.below(150));
      cluster.add("n5");
      await settled(cluster);
      expect(times(cluster, "n5")).toBeLessThanOrEqual(1);
    }));
});

test("a list that somebody removes is made again, and nobody loses anything by it", () =>
  seeds(10, async (seed) => {
    const cluster = await fiveNodes(seed);
    await cluster.turns.steps(100);
    cluster.crash("n1");
    cluster.cluster.delete("configmaps", "kube-system/weave-net");
    cluster.start("n1");
    await cluster.turns.until(
      () => cluster.isSettled(),
      2 * patienceMs,
      () => cluster.describe(),
    );
    expect([cluster.taken, cluster.begunAnew, cluster.wrongs]).toEqual([[], [], []]);
  }));

test("after any history of removals, crashes, returns and failures all is owned by who is there", () =>
  seeds(25, async (seed) => {
    const cluster = await fiveNodes(seed);
    const { turns } = cluster;
    const any = () => names[turns.below(names.length)]!;
    const isThere = (name: string) => cluster.cluster.get("nodes", name) !== undefined;
    const acts = [
      () => cluster.remove(any()),
      () => cluster.crash(any()),
      () => {
        const name = any();
        if (!cluster.processes.has(name)) cluster.add(name);
      },
      () => {
        cluster.failures = turns.below(8);
      },
      () => cluster.cluster.compact(),
    ];
    for (let step = 0; step < 12; step++) {
      acts[turns.below(acts.length)]!();
      await turns.steps(turns.below(60));
    }
    cluster.failures = 0;
    // Somebody has to be there to look after the others.
    for (const name of ["n1", ...names.filter(isThere)]) {
      if (!cluster.processes.has(name)) cluster.add(name);
    }
    await settled(cluster);
  }));
