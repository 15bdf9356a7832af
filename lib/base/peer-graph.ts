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

interface Walk {
  /** First hop from the start towards every reached peer; the start itself maps to `noPeer`. */
  readonly firstHop: Map<PeerName, PeerName>;
  /** Whether `stop` was met before the walk ran out of peers. */
  readonly stopped: boolean;
}

function walk(graph: PeerGraph, start: PeerName, stop: PeerName | undefined): Walk {
  const firstHop = new Map<PeerName, PeerName>([[start, noPeer]]);
  for (let level: PeerName[] = [start]; level.length > 0; ) {
    const next: PeerName[] = [];
    for (const peer of level.sort(byPeerName)) {
      if (peer === stop) return { firstHop, stopped: true };
      for (const neighbour of graph.neighbours(peer)) {
        if (firstHop.has(neighbour)) continue;
        firstHop.set(neighbour, peer === start ? neighbour : firstHop.get(peer)!);
        next.push(neighbour);
      }
    }
    level = next;
  }
  return { firstHop, stopped: false };
}

/** Destination → first hop for every peer that can be reached from `self`; `self` → `noPeer`. */
export function unicastRoutes(graph: PeerGraph, self: PeerName): Map<PeerName, PeerName> {
  return walk(graph, self, undefined).firstHop;
}

/**
 * The neighbours to which `self` passes on a broadcast that `source` began, ascending. On equal
 * data at all peers each reachable peer gets it exactly once.
 */
export function broadcastHops(graph: PeerGraph, source: PeerName, self: PeerName): PeerName[] {
  const neighbours = [...graph.neighbours(self)].sort(byPeerName);
  if (source === self) return neighbours;
  const { firstHop, stopped } = walk(graph, source, self);
  return stopped ? neighbours.filter((peer) => !firstHop.has(peer)) : [];
}
