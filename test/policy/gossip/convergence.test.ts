import { expect, test } from "bun:test";
import { formatPeerName } from "../../../lib/base/peer-name.ts";
import { randomBelow, seededRandom } from "../../../lib/base/random.ts";
import { policyChannel } from "../../../lib/policy/gossip/shared-policy.ts";
import { podKind } from "../../../lib/policy/gossip/shared-record.ts";
import { ipOf } from "../../../lib/simulator/cluster.ts";
import { SimCluster, type SimPeer } from "../../sim/cluster.ts";

const numbers = [1, 2, 3, 4, 5];

const policiesOf = ({ plane }: SimPeer) => plane.policies!;

function view(peer: SimPeer): string {
  const records = policiesOf(peer).records();
  return records
    .map(({ kind, scope, name, content }) => `${kind} ${scope} ${name} ${content}`)
    .toSorted()
    .join("\n");
}

function agree(cluster: SimCluster): boolean {
  return new Set(cluster.peers.map(view)).size === 1;
}

function start(cluster: SimCluster, number: number): void {
  cluster.start(number, number === 1 ? [] : [ipOf(1)]);
}

for (const seed of [1, 2, 3]) {
  test(`peers that are parted, killed and joined again know the same in the end, life ${seed}`, async () => {
    const cluster = new SimCluster(seed);
    const random = seededRandom(seed);
    const pick = <T>(from: readonly T[]): T => from[randomBelow(random, from.length)]!;
    for (const number of numbers) start(cluster, number);
    await cluster.runUntil("full mesh", () => cluster.isFullMesh(), 120_000);
    const pods = new Map<number, Map<string, string>>();
    const deeds = [
      ({ plane }: SimPeer, word: string) => {
        const content = pick([`"${word}"`, `"${word}!"`, undefined]);
        const name = pick(["a", "b", "c"]);
        plane.policies!.say([{ kind: "NetworkPolicy", scope: "default", name, content }]);
      },
      ({ number, plane }: SimPeer, word: string) => {
        const own = new Map(pods.get(number));
        if (!own.delete(pick(["c1", "c2"]))) own.set(pick(["c1", "c2"]), `"${word}"`);
        pods.set(number, own);
        plane.policies!.sayOwn({ Pod: own, Host: new Map() });
      },
      ({ number }: SimPeer) => {
        const other = pick(numbers.filter((each) => each !== number));
        cluster.network.cut(ipOf(number), ipOf(other));
      },
      ({ number }: SimPeer) => {
        cluster.kill(number, { silent: pick([true, false]) });
        start(cluster, number);
        const Pod = pods.get(number) ?? new Map();
        policiesOf(cluster.peer(number)!).sayOwn({ Pod, Host: new Map() });
      },
    ];
    for (let step = 0; step < 60; step++) {
      pick([deeds[0]!, deeds[0]!, deeds[1]!, deeds[1]!, deeds[2]!, deeds[3]!])(
        pick(cluster.peers),
        `${step}`,
      );
      await cluster.run(pick([0, 50, 2000]));
    }
    for (const one of numbers) {
      for (const other of numbers) if (one < other) cluster.network.heal(ipOf(one), ipOf(other));
    }
    await cluster.runUntil("full mesh", () => cluster.isFullMesh(), 20 * 60_000);
    await cluster.runUntil("agreement", () => agree(cluster), 120_000);
    // Each host's pods are those that it said last.
    for (const peer of cluster.peers) {
      const told = policiesOf(cluster.peers[0]!)
        .records(podKind)
        .filter(({ scope }) => scope === formatPeerName(peer.name));
      const own = pods.get(peer.number) ?? new Map();
      expect(new Map(told.map(({ name, content }) => [name, content]))).toEqual(own);
    }
  });
}

test("what one peer says reaches all at once, and one that comes later on connecting", async () => {
  const cluster = new SimCluster(1);
  for (const number of [1, 2, 3]) start(cluster, number);
  await cluster.runUntil("full mesh", () => cluster.isFullMesh(), 60_000);
  policiesOf(cluster.peer(2)!).say([
    { kind: "NetworkPolicy", scope: "default", name: "deny", content: "{}" },
  ]);
  await cluster.runUntil("agreement", () => agree(cluster), 100);
  start(cluster, 4);
  await cluster.runUntil("known to the newcomer", () => agree(cluster), 3000);
});

test("a peer that is killed has it after its start, before it has met anybody", async () => {
  const cluster = new SimCluster(1);
  start(cluster, 1);
  const document = { kind: "NetworkPolicy", scope: "default", name: "deny" };
  policiesOf(cluster.peer(1)!).say([{ ...document, content: "{}" }]);
  cluster.kill(1, { silent: true });
  start(cluster, 1);
  expect(policiesOf(cluster.peer(1)!).content(document)).toBe("{}");
});

test("a peer that has no part in it passes it on between those that do", async () => {
  const cluster = new SimCluster(1, { discovery: false });
  cluster.start(1, []);
  cluster.start(2, [ipOf(1)], { control: { extensions: false, discovery: false } });
  cluster.start(3, [ipOf(2)]);
  await cluster.runUntil(
    "all known",
    () => cluster.peer(1)!.plane.mesh.knownPeers().length === 3,
    60_000,
  );
  const channels = () =>
    cluster
      .peer(2)!
      .plane.mesh.status()
      .channels.map(({ name }) => name);
  expect(channels()).not.toContain(policyChannel);
  policiesOf(cluster.peer(1)!).say([
    { kind: "NetworkPolicy", scope: "default", name: "deny", content: "{}" },
  ]);
  const known = () => view(cluster.peer(3)!) === view(cluster.peer(1)!);
  await cluster.runUntil("passed on", known, 1000);
  expect(channels()).toContain(policyChannel);
});
