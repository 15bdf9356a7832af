import type { PeerGraph } from "../base/peer-graph.ts";
import { byPeerName, type PeerName } from "../base/peer-name.ts";
import type { RoutesSnapshot } from "../base/routes-snapshot.ts";
import type { Peers } from "./peers.ts";

/** Every claimed link, also one-sided: the graph along which gossip travels. */
export function claimedGraph(peers: Peers): PeerGraph {
  return {
    neighbours(peer) {
      const found: PeerName[] = [];
      const record = peers.get(peer);
      if (record === undefined) return found;
      for (const remote of record.links.keys()) if (peers.has(remote)) found.push(remote);
      return found;
    },
  };
}

/** Links that both ends claim as established: the graph along which packets travel. */
export function establishedGraph(peers: Peers): PeerGraph {
  return {
    neighbours(peer) {
      const found: PeerName[] = [];
      const record = peers.get(peer);
      if (record === undefined) return found;
      for (const [remote, { established }] of record.links) {
        if (established && peers.get(remote)?.links.get(peer)?.established) found.push(remote);
      }
      return found;
    },
  };
}

/** The present topology as the data plane sees it, in an order that depends on nothing else. */
export function takeSnapshot(peers: Peers): RoutesSnapshot {
  const records = peers.records();
  const links: Array<readonly [PeerName, PeerName]> = [];
  for (const { name, links: claims } of records) {
    const later: PeerName[] = [];
    for (const [remote, { established }] of claims) {
      // Each pair once: by the end with the lower name.
      if (remote < name || !established) continue;
      if (peers.get(remote)?.links.get(name)?.established) later.push(remote);
    }
    for (const remote of later.sort(byPeerName)) links.push([name, remote]);
  }
  return {
    peers: records.map(({ name, nickname, shortId }) => ({ name, nickname, shortId })),
    links,
  };
}

/** Whether the data plane would notice no difference. */
export function equalSnapshots(a: RoutesSnapshot, b: RoutesSnapshot): boolean {
  return (
    a.links.length === b.links.length &&
    a.peers.length === b.peers.length &&
    a.links.every(([from, to], at) => from === b.links[at]![0] && to === b.links[at]![1]) &&
    a.peers.every((peer, at) => {
      const other = b.peers[at]!;
      return (
        peer.name === other.name &&
        peer.nickname === other.nickname &&
        peer.shortId === other.shortId
      );
    })
  );
}
