import type { PeerGraph } from "./peer-graph.ts";
import type { PeerName } from "./peer-name.ts";

/**
 * What the data plane needs to know of the topology, handed over whole by the mesh at every change
 * of its routes. Plain data: it crosses to the data-plane worker by structured clone.
 */
export interface RoutesSnapshot {
  /** Every known peer, reachable or not, ourselves included; ascending. */
  readonly peers: readonly SnapshotPeer[];
  /** The established and symmetric links (mesh-protocol §9, flavour E), each once by its lower end, ascending. */
  readonly links: readonly (readonly [PeerName, PeerName])[];
}

export interface SnapshotPeer {
  readonly name: PeerName;
  readonly nickname: string;
  /** 0–4095; `undefined` for a peer that announces none. */
  readonly shortId: number | undefined;
}

const nobody: readonly PeerName[] = [];

/** The links of `snapshot` as the graph on which routes are walked. */
export function snapshotGraph(snapshot: Pick<RoutesSnapshot, "links">): PeerGraph {
  const neighbours = new Map<PeerName, PeerName[]>();
  const link = (from: PeerName, to: PeerName): void => {
    const known = neighbours.get(from);
    if (known === undefined) neighbours.set(from, [to]);
    else known.push(to);
  };
  for (const [a, b] of snapshot.links) {
    link(a, b);
    link(b, a);
  }
  return { neighbours: (peer) => neighbours.get(peer) ?? nobody };
}
