import type { Peer, PortRange } from "./objects.ts";

/**
 * What rules ask of a packet filter: each block of addresses of a rule with each port of it. Of one
 * policy there are so many at most: a document of a few thousand words could name millions.
 */
export const pairsMax = 32_768;

interface Rule {
  readonly peers: "any" | readonly Peer[];
  readonly ports: "any" | readonly PortRange[];
}

/** What is left of a block takes a range more for each exception; all pods and machines are one set. */
export function pairsOf(rules: readonly Rule[]): number {
  return rules.reduce((sum, { peers, ports }) => {
    const blocks = peers === "any" ? 1 : rangesOf(peers);
    return sum + blocks * (ports === "any" ? 1 : ports.length);
  }, 0);
}

function rangesOf(peers: readonly Peer[]): number {
  const isInSet = (peer: Peer): boolean => peer.kind !== "block";
  const ofBlocks = peers.reduce(
    (sum, peer) => sum + (peer.kind === "block" ? 1 + peer.except.length : 0),
    0,
  );
  return ofBlocks + (peers.some(isInSet) ? 1 : 0);
}
