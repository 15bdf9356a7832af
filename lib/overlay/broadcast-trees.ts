import { broadcastHops, type PeerGraph } from "../base/peer-graph.ts";
import type { PeerName } from "../base/peer-name.ts";

/** Trees kept, one per source; beyond it they are computed afresh. */
export const broadcastTreesMax = 4096;

/** Where floods of each peer go on from here, worked out when the first one comes. */
export class BroadcastTrees {
  readonly #graph: PeerGraph;
  readonly #local: PeerName;
  readonly #hops = new Map<PeerName, readonly PeerName[]>();

  constructor(graph: PeerGraph, local: PeerName) {
    this.#graph = graph;
    this.#local = local;
  }

  /** The neighbours to which a flood that `source` began goes on from here, ascending. */
  hops(source: PeerName): readonly PeerName[] {
    const cached = this.#hops.get(source);
    if (cached !== undefined) return cached;
    const hops = broadcastHops(this.#graph, source, this.#local);
    if (this.#hops.size < broadcastTreesMax) this.#hops.set(source, hops);
    return hops;
  }
}
