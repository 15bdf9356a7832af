import { unicastRoutes } from "../base/peer-graph.ts";
import { byPeerName, type PeerName } from "../base/peer-name.ts";
import { snapshotGraph } from "../base/routes-snapshot.ts";
import type { OwnedRange } from "../incident/owner-changes.ts";
import { ringView, type SimCluster, type SimPeer } from "./cluster.ts";

/** What one peer takes to be so. */
export interface Belief {
  readonly number: number;
  /** Peers to which frames find a way, itself included; ascending by name. */
  readonly reached: readonly PeerName[];
  /** Known, and out of reach. */
  readonly lost: readonly PeerName[];
  /** Owners out of reach, and how many addresses nobody can have of them. */
  readonly stranded: ReadonlyMap<PeerName, number>;
  /** The ring as text: who has another believes something else. */
  readonly ring: string;
  readonly ranges: readonly OwnedRange<PeerName>[];
  /** Live names. */
  readonly names: number;
}

/** What the peers that run believe, and how far they agree. */
export interface Beliefs {
  readonly each: readonly Belief[];
  /** Peers that reach the same ones, the largest group first. */
  readonly parts: readonly (readonly number[])[];
  /** Peers that have the same ring, the largest group first. */
  readonly rings: readonly (readonly number[])[];
}

export function beliefsOf(cluster: SimCluster): Beliefs {
  const each = cluster.peers.map(beliefOf).sort((a, b) => a.number - b.number);
  return {
    each,
    parts: grouped(each, ({ reached }) => reached.join()),
    rings: grouped(each, ({ ring }) => ring),
  };
}

function beliefOf({ number, name, plane }: SimPeer): Belief {
  const { recorder, ipam, names } = plane;
  const { topology } = recorder;
  const reached = new Set([name, ...unicastRoutes(snapshotGraph(topology), name).keys()]);
  const stranded = new Map<PeerName, number>();
  const status = ipam?.allocator.status().ranges ?? [];
  const ranges = status.map(({ token, size, peer }) => ({ first: token, size, owner: peer }));
  for (const { owner, size } of ranges) {
    if (!reached.has(owner)) stranded.set(owner, (stranded.get(owner) ?? 0) + size);
  }
  return {
    number,
    reached: [...reached].sort(byPeerName),
    lost: topology.peers.map((peer) => peer.name).filter((peer) => !reached.has(peer)),
    ...{ stranded, ranges },
    ring: ipam === undefined ? "" : ringView(ipam.allocator),
    names: names?.entries().filter(({ tombstone }) => tombstone === 0).length ?? 0,
  };
}

/** Pairs of peers that run, of which each takes the other for linked with it; the lower one first. */
export function mutualLinks(cluster: SimCluster): [number, number][] {
  const linked = new Set<string>();
  for (const { name, plane } of cluster.peers) {
    for (const [a, b] of plane.recorder.topology.links) {
      if (a === name) linked.add(`${a} ${b}`);
      if (b === name) linked.add(`${b} ${a}`);
    }
  }
  const { peers } = cluster;
  return peers.flatMap((a) =>
    peers
      .filter((b) => a.number < b.number)
      .filter((b) => linked.has(`${a.name} ${b.name}`) && linked.has(`${b.name} ${a.name}`))
      .map((b): [number, number] => [a.number, b.number]),
  );
}

function grouped(each: readonly Belief[], keyOf: (belief: Belief) => string): number[][] {
  const groups = new Map<string, number[]>();
  for (const belief of each) {
    const key = keyOf(belief);
    groups.set(key, [...(groups.get(key) ?? []), belief.number]);
  }
  return [...groups.values()].sort((a, b) => b.length - a.length || a[0]! - b[0]!);
}
