import { describe, expect, test } from "bun:test";
import { encodeInterest, encodeSummary } from "../../lib/links/link-codec.ts";
import { interestMs, linksChannel } from "../../lib/links/shared-links.ts";
import { ipOf } from "../../lib/simulator/cluster.ts";
import { SimCluster, type SimPeer } from "../sim/cluster.ts";

const linksOf = ({ plane }: SimPeer) => plane.links!;

/** `02→01 sleeve`, by numbers of peers, of all that a peer has been told. */
function view(cluster: SimCluster, peer: SimPeer): string[] {
  const number = new Map(cluster.peers.map((each) => [each.name, each.number]));
  return linksOf(peer)
    .told()
    .flatMap(({ peer: from, links }) =>
      links.map((link) => `${number.get(from)}→${number.get(link.peer)} ${link.overlay}`),
    )
    .toSorted();
}

/** Octets that peers have sent on the channel, by number. */
function spoken({ peers }: SimCluster): number {
  return peers.reduce((sum, { plane }) => {
    const tally = plane.mesh.summary().gossip.find(({ channel }) => channel === linksChannel);
    return sum + (tally?.sentBytes ?? 0);
  }, 0);
}

/** Each linked to the one before it, and to no other. */
async function line(count: number, original?: number): Promise<SimCluster> {
  const cluster = new SimCluster(1, { discovery: false });
  for (let number = 1; number <= count; number++) {
    const control = { discovery: false, extensions: number !== original };
    cluster.start(number, number === 1 ? [] : [ipOf(number - 1)], { control });
  }
  const known = () => cluster.peers.every(({ plane }) => plane.mesh.knownPeers().length === count);
  await cluster.runUntil("all known", known, 60_000);
  await cluster.run(2000);
  return cluster;
}

async function mesh(count: number): Promise<SimCluster> {
  const cluster = new SimCluster(1);
  for (let number = 1; number <= count; number++) {
    cluster.start(number, number === 1 ? [] : [ipOf(1)]);
  }
  await cluster.runUntil("full mesh", () => cluster.isFullMesh(), 10 * 60_000);
  await cluster.run(5000);
  return cluster;
}

describe("links of others", () => {
  test("are told to the end of a line that looks, and to nobody else", async () => {
    const cluster = await line(3);
    const [one, two, three] = cluster.peers as [SimPeer, SimPeer, SimPeer];
    expect(spoken(cluster)).toBe(0);
    await cluster.run(60_000);
    expect(spoken(cluster)).toBe(0);
    linksOf(one).look();
    await cluster.run(500);
    expect(view(cluster, one)).toEqual(["2→1 sleeve", "2→3 sleeve", "3→2 sleeve"]);
    expect(linksOf(two).told()).toEqual([]);
    expect(linksOf(three).told()).toEqual([]);
  });

  test("pass through a peer that takes no part, of which nothing is known", async () => {
    const cluster = await line(3, 2);
    const [one] = cluster.peers as [SimPeer];
    linksOf(one).look();
    await cluster.run(500);
    expect(view(cluster, one)).toEqual(["3→2 sleeve"]);
    expect(cluster.peer(2)!.plane.links).toBeUndefined();
    const channels = cluster.peer(2)!.plane.mesh.status().channels;
    expect(channels).toContainEqual({ name: linksChannel, surrogate: true });
  });

  test("are told again and again, until nobody has looked for a while", async () => {
    const cluster = await line(3);
    const one = cluster.peer(1)!;
    linksOf(one).look();
    const times = new Set<number>();
    for (let second = 0; second < 60; second++) {
      await cluster.run(1000);
      linksOf(one).look();
      for (const { atMs } of linksOf(one).told()) times.add(atMs);
    }
    // Two peers, every five seconds.
    expect(times.size).toBeGreaterThanOrEqual(2 * 11);
    expect(times.size).toBeLessThanOrEqual(2 * 14);
    await cluster.run(interestMs + 1000);
    const before = spoken(cluster);
    await cluster.run(10 * 60_000);
    expect(spoken(cluster)).toBe(before);
    expect(linksOf(one).told()).toEqual([]);
  });

  test("of a viewer that dies: nobody goes on telling it", async () => {
    const cluster = await line(3);
    linksOf(cluster.peer(1)!).look();
    await cluster.run(7000);
    cluster.kill(1, { silent: true });
    await cluster.run(interestMs);
    const before = spoken(cluster);
    await cluster.run(10 * 60_000);
    expect(spoken(cluster)).toBe(before);
  });

  test("are told by a newcomer as well, and forgotten of a peer that goes", async () => {
    const cluster = await mesh(3);
    const one = cluster.peer(1)!;
    linksOf(one).look();
    await cluster.run(3000);
    cluster.start(4, [ipOf(2)]);
    await cluster.runUntil("full mesh", () => cluster.isFullMesh(), 60_000);
    const tells = () =>
      linksOf(one)
        .told()
        .some(({ peer }) => peer === cluster.nameOf(4));
    await cluster.runUntil("told by the newcomer", tells, 3000);
    cluster.kill(4, { silent: false });
    await cluster.runUntil("forgotten", () => !tells(), 60_000);
  });

  test("are known of both parts of a cluster again when it is whole again", async () => {
    const cluster = await line(4);
    const one = cluster.peer(1)!;
    const looking = async (ms: number) => {
      for (let left = ms; left > 0; left -= 2000) {
        linksOf(one).look();
        await cluster.run(2000);
      }
    };
    await looking(6000);
    expect(view(cluster, one)).toHaveLength(5);
    cluster.network.cut(ipOf(2), ipOf(3));
    await looking(120_000);
    expect(view(cluster, one)).toEqual(["2→1 sleeve"]);
    cluster.network.heal(ipOf(2), ipOf(3));
    const isWhole = () => one.plane.mesh.knownPeers().length === 4;
    for (let round = 0; !isWhole() && round < 300; round++) await looking(4000);
    await looking(8000);
    expect(view(cluster, one)).toHaveLength(5);
  });

  test("cost a cluster of 50 little, and each peer little", async () => {
    const cluster = await mesh(50);
    const before = spoken(cluster);
    const one = cluster.peer(1)!;
    for (let second = 0; second < 30; second += 2) {
      linksOf(one).look();
      await cluster.run(2000);
    }
    expect(linksOf(one).told()).toHaveLength(49);
    expect(view(cluster, one)).toHaveLength(49 * 49);
    // Of which the documentation speaks.
    expect((spoken(cluster) - before) / 30).toBeLessThan(30_000);
  }, 120_000);
});

describe("who looks once", () => {
  test("gets what all tell as soon as all have, and they tell once", async () => {
    const cluster = await line(3);
    const one = cluster.peer(1)!;
    let isThere = false;
    linksOf(one)
      .lookOnce()
      .then(() => (isThere = true));
    const tookMs = await cluster.runUntil("told", () => isThere, 1000);
    expect(tookMs).toBeLessThan(500);
    expect(view(cluster, one)).toHaveLength(3);
    const before = spoken(cluster);
    await cluster.run(60_000);
    expect(spoken(cluster)).toBe(before);
  });

  test("waits for nobody where there is nobody, and a second for who does not answer, once", async () => {
    const cluster = await line(4, 3);
    const [one] = cluster.peers as [SimPeer];
    const took = async () => {
      let isThere = false;
      linksOf(one)
        .lookOnce()
        .then(() => (isThere = true));
      return cluster.runUntil("told", () => isThere, 1500);
    };
    // Two steps away: nobody knows that it is an original.
    expect(await took()).toBeGreaterThanOrEqual(1000);
    await cluster.run(1000);
    expect(await took()).toBeLessThan(500);
    expect(view(cluster, one)).toEqual(["2→1 sleeve", "2→3 sleeve", "4→3 sleeve"]);
    const alone = new SimCluster(2).start(1, []);
    await linksOf(alone).lookOnce();
    const beside = (await line(2, 2)).peer(1)!;
    await linksOf(beside).lookOnce();
    expect(linksOf(beside).told()).toEqual([]);
  });
});

test("nonsense is laid to who said it, and no link is lost by it", async () => {
  const cluster = await mesh(3);
  const [one, two] = cluster.peers as [SimPeer, SimPeer];
  linksOf(one).look();
  await cluster.run(500);
  const refusals = () => one.plane.mesh.summary().refusals;
  const bad = encodeSummary({
    countedMs: 0,
    links: [
      {
        ...{ peer: one.name, isEstablished: true, overlay: "\n", isEncrypted: false },
        ...{ mtu: undefined, roundTripMs: undefined, traffic: undefined },
        loss: undefined,
      },
    ],
  });
  const channel = two.plane.mesh.join(linksChannel, linksOf(two));
  channel.unicast(one.name, bad);
  channel.unicast(one.name, new Uint8Array([1, 2, 3]));
  await cluster.run(500);
  expect(refusals()).toEqual([
    expect.objectContaining({ channel: linksChannel, origin: two.name, count: 2 }),
  ]);
  expect(cluster.isFullMesh()).toBe(true);
  expect(view(cluster, one)).toHaveLength(4);
});

test("what nobody has asked for is not kept", async () => {
  const cluster = await mesh(2);
  const [one, two] = cluster.peers as [SimPeer, SimPeer];
  const channel = two.plane.mesh.join(linksChannel, linksOf(two));
  channel.unicast(one.name, encodeSummary({ countedMs: 0, links: [] }));
  await cluster.run(500);
  expect(linksOf(one).told()).toEqual([]);
  channel.unicast(one.name, encodeInterest({ isNow: true, forMs: 0 }, 0));
  await cluster.run(500);
  expect(spoken(cluster)).toBeGreaterThan(0);
  expect(linksOf(two).told()).toEqual([]);
});
