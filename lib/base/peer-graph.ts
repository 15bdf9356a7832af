import { byPeerName, noPeer, type PeerName } from "./peer-name.ts";

/**
 * The walks over the peer graph on which unicast and broadcast routing rest (mesh-protocol §9).
 *
 *   level 0      level 1        level 2
 *   start ────▶  sorted   ────▶ sorted     every level is visited in ascending order of names,
 *                by name        by name    so that all peers with equal data agree on every route
 *
 * Control plane and data plane use the same functions, on the two flavours of the same graph:
 * every claimed link for gossip, established and symmetric links for packets.
 */
export interface PeerGraph {
  /** Peers that `peer` has a link to; empty for an unknown peer. Any order. */
  neighbours(peer: PeerName): Iterable<PeerName>;
}

/**
 * First hop from `start` towards every peer, `start` itself to `noPeer`. `meet` hears of every peer
 * as it is reached and as its turn comes; the walk ends when it says so.
 */
function walk(
  graph: PeerGraph,
  start: PeerName,
  meet: (peer: PeerName, event: "reached" | "visited") => "go on" | "enough",
): Map<PeerName, PeerName> {
  const firstHop = new Map<PeerName, PeerName>([[start, noPeer]]);
  for (let level: PeerName[] = [start]; level.length > 0; ) {
    const next: PeerName[] = [];
    for (const peer of level.sort(byPeerName)) {
      if (meet(peer, "visited") === "enough") return firstHop;
      for (const neighbour of graph.neighbours(peer)) {
        if (firstHop.has(neighbour)) continue;
        firstHop.set(neighbour, peer === start ? neighbour : firstHop.get(peer)!);
        next.push(neighbour);
        if (meet(neighbour, "reached") === "enough") return firstHop;
      }
    }
    level = next;
  }
  return firstHop;
}

/** Destination → first hop for every peer that can be reached from `self`; `self` → `noPeer`. */
export function unicastRoutes(graph: PeerGraph, self: PeerName): Map<PeerName, PeerName> {
  return walk(graph, self, () => "go on");
}

/**
 * The neighbours to which `self` passes on a broadcast that `source` began, ascending. On equal
 * data at all peers each reachable peer gets it exactly once.
 */
export function broadcastHops(graph: PeerGraph, source: PeerName, self: PeerName): PeerName[] {
  const neighbours = [...graph.neighbours(self)].sort(byPeerName);
  if (source === self) return neighbours;
  const left = new Set(neighbours);
  left.delete(source);
  let isOurTurn = false;
  walk(graph, source, (peer, event) => {
    if (event === "visited") isOurTurn = peer === self;
    else left.delete(peer);
    // Once others have reached all our neighbours, as in a full mesh at once, nothing is left to us.
    return isOurTurn || left.size === 0 ? "enough" : "go on";
  });
  return isOurTurn ? [...left] : [];
}
