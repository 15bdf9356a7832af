import { describe, test } from "bun:test";
import { type Random, randomBelow } from "../../../lib/base/random.ts";
import { loneWorld, withSeed } from "../../sim/world.ts";
import {
  type Connection,
  type Delays,
  FrameCluster,
  type FrameHost,
  macOf,
} from "./frame-cluster.ts";

type Links = readonly (readonly [number, number])[];

const seeds = 30;
const shapes: Readonly<Record<string, Links>> = {
  "of two": [[0, 1]],
  "of three in a line": [
    [0, 1],
    [1, 2],
  ],
  "of three in a triangle": [
    [0, 1],
    [1, 2],
    [2, 0],
  ],
};

/** Longest times of steps that take no time on a machine with nothing else to do. In ms. */
const slow = { sleeve: 6000, control: 400, routes: 1500, worker: 300 };
const deadMaxMs = 7000;
const betweenDialsMaxMs = 2000;
const betweenEndsMaxMs = 500;
/** Until the first gossip tells a router which short id it had. */
const namelessMaxMs = 1000;
const deafMaxMs = 10_000;
const settledMs = 30_000;

describe("a router that is killed and started again, however long each step takes,", () => {
  for (const [shape, links] of Object.entries(shapes)) {
    test(`costs no frame in a cluster ${shape}`, () => {
      for (let seed = 1; seed <= seeds; seed++) withSeed(seed, () => restart(seed, links));
    });
  }

  for (const end of ["later", "replaced"] as const) {
    for (const [shape, links] of Object.entries(shapes)) {
      test(`costs no frame ${shape} whose old connections end ${end}`, () => {
        for (let seed = 1; seed <= seeds; seed++) withSeed(seed, () => restart(seed, links, end));
      });
    }
  }
});

/**
 * When others notice that the connections of a router have ended: as soon as it dies, when a new one
 * takes the place of each, or after all new ones have begun.
 */
type OldConnectionsEnd = "at once" | "replaced" | "later";

function restart(seed: number, links: Links, end: OldConnectionsEnd = "at once"): void {
  const { random } = loneWorld(seed).world;
  const cluster = new FrameCluster();
  const hosts = Array.from({ length: new Set(links.flat()).size }, () => cluster.host());
  const within = (ms: number): number => randomBelow(random, ms);
  const dial = ([a, b]: readonly [number, number]): void => {
    const [dialler, acceptor] = within(2) === 0 ? [a, b] : [b, a];
    cluster.connect(hosts[dialler]!, hosts[acceptor]!);
  };
  const speakFor = (ms: number): void => {
    for (const endMs = cluster.clock.nowMs + ms; cluster.clock.nowMs < endMs; ) {
      everybodySpeaks(cluster);
    }
  };
  for (const link of links) dial(link);
  cluster.clock.run(3000);
  speakFor(1000);

  const dead = hosts[within(hosts.length)]!;
  const { shortId } = dead;
  cluster.delays = slowly(random);
  const old = cluster.connections.filter(({ a, b }) => a.host === dead || b.host === dead);
  if (end === "at once") cluster.kill(dead);
  else cluster.silence(dead);
  speakFor(within(deadMaxMs));
  dead.shortId = undefined;
  dead.start();
  cluster.announce();
  const deafUntilMs = cluster.clock.nowMs + within(deafMaxMs);
  cluster.wire.loses = ({ frame, from, to }) =>
    cluster.clock.nowMs < deafUntilMs && isHeartbeat(frame) && [from, to].includes(dead.ip);
  for (const link of links) {
    if (!link.some((number) => hosts[number] === dead)) continue;
    speakFor(within(betweenDialsMaxMs));
    dial(link);
    if (end === "replaced") cluster.disconnect(old.find((each) => joins(each, link, hosts))!);
    speakFor(within(namelessMaxMs));
    dead.shortId = shortId;
    cluster.announce();
  }
  for (const connection of old) {
    cluster.disconnect(connection);
    speakFor(within(betweenEndsMaxMs));
  }
  speakFor(settledMs);
}

function joins({ a, b }: Connection, [x, y]: Links[number], hosts: readonly FrameHost[]): boolean {
  const ends = [a.host, b.host];
  return ends.includes(hosts[x]!) && ends.includes(hosts[y]!);
}

function slowly(random: Random): Delays {
  return {
    sleeve: () => randomBelow(random, slow.sleeve),
    control: () => randomBelow(random, slow.control),
    routes: () => randomBelow(random, slow.routes),
    worker: () => randomBelow(random, slow.worker),
  };
}

function isHeartbeat(frame: Uint8Array): boolean {
  return frame[12] === 0 && frame[13] === 0;
}

function everybodySpeaks(cluster: FrameCluster): void {
  for (const from of cluster.hosts) {
    for (const to of cluster.hosts) {
      if (from === to || cluster.sends(from, macOf(to))[to.number] === 1) continue;
      const ways = cluster.hosts.map(describeHost).join("; ");
      throw new Error(`${from.number} to ${to.number} at ${cluster.clock.nowMs} ms: ${ways}`);
    }
  }
}

function describeHost({ number, kernel }: FrameHost): string {
  const hops = [...kernel!.hops].map(([id, hop]) => `${id} by ${hop.kind}`);
  return `${number}: ${hops.join(", ")}, drops ${JSON.stringify(kernel!.drops)}`;
}
