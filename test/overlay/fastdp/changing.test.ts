import { expect, test } from "bun:test";
import { type Random, randomBelow } from "../../../lib/base/random.ts";
import { loneWorld, withSeed } from "../../sim/world.ts";
import { broadcastMac, type Connection, FrameCluster, type HostKind } from "./frame-cluster.ts";

/**
 * Clusters in which every second one link is lost and the last one comes back, while hosts hear of it
 * at different times: what they broadcast meanwhile must not go round.
 */
const seeds = 10;
const seconds = 30;
const routesMaxMs = 450;
const broadcastsPerSecond = 20;
const datapath: HostKind = { fastdp: true };
const sleeveOnly: HostKind = { fastdp: false };

type Links = readonly (readonly [number, number])[];

const triangle: Links = [
  [0, 1],
  [1, 2],
  [2, 0],
];
const ringOfEight: Links = [
  ...Array.from({ length: 8 }, (_, at): [number, number] => [at, (at + 1) % 8]),
  [0, 4],
  [1, 5],
];

/** How often a broadcast was sent from host to host, at most. */
function churn(seed: number, links: Links, kindOf: (number: number) => HostKind): number {
  const { random } = loneWorld(seed).world;
  const cluster = new FrameCluster();
  const hosts = Array.from({ length: new Set(links.flat()).size }, (_, at) =>
    cluster.host(kindOf(at)),
  );
  const connect = ([a, b]: Links[number]): Connection => cluster.connect(hosts[a]!, hosts[b]!);
  const connections = links.map(connect);
  cluster.clock.run(5000);
  cluster.delays = { ...cluster.delays, routes: () => randomBelow(random, routesMaxMs) };
  let [lost, sendsMax] = [0, 0];
  for (let second = 0; second < seconds; second++) {
    if (second > 0) connections[lost] = connect(links[lost]!);
    lost = randomBelow(random, links.length);
    cluster.disconnect(connections[lost]!);
    for (let count = 0; count < broadcastsPerSecond; count++) {
      sendsMax = Math.max(sendsMax, sendsOfBroadcast(cluster, random));
    }
  }
  return sendsMax;
}

function sendsOfBroadcast(cluster: FrameCluster, random: Random): number {
  const { hosts, wire, sleeveFrames } = cluster;
  const sent = wire.packets.length + sleeveFrames.length;
  cluster.sends(hosts[randomBelow(random, hosts.length)]!, broadcastMac);
  return wire.packets.length + sleeveFrames.length - sent;
}

for (const [what, kindOf] of [
  ["with datapaths", () => datapath],
  ["by sleeve", () => sleeveOnly],
  ["of both kinds", (at: number) => (at % 2 === 0 ? datapath : sleeveOnly)],
] as const) {
  for (const [shape, links] of [
    ["in a triangle", triangle],
    ["in a ring with chords", ringOfEight],
  ] as const) {
    test(`hosts ${what} ${shape} send no broadcast round and round`, () => {
      for (let seed = 1; seed <= seeds; seed++) {
        withSeed(seed, () => {
          // Each end of a link sends it over that link at most once.
          expect(churn(seed, links, kindOf)).toBeLessThanOrEqual(2 * links.length);
        });
      }
    });
  }
}
