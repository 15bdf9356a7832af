import type { ListedPeer, PeerList } from "./peer-list.ts";

/** The first ones come so far apart, the others, who are not needed as a rule, closer together. */
const firstTurns = 10;
const firstStepMs = 500;
const laterStepMs = 25;

/** After this everybody may try, whoever should have come first. */
const turnMaxMs = 30_000;

/**
 * Peers of which nobody runs any more: those whose node is gone, and those that were on our node
 * before us (kubernetes §5). Never we ourselves, and nobody whose node is there.
 */
export function gonePeers(
  list: PeerList,
  nodeNames: ReadonlySet<string>,
  self: ListedPeer,
): ListedPeer[] {
  return list.peers.filter(
    ({ peerName, nodeName }) =>
      peerName !== self.peerName && (nodeName === self.nodeName || !nodeNames.has(nodeName)),
  );
}

/** Whose the lock of a peer is that is gone. */
export type Claim =
  | "free"
  | "ours"
  /** Of a peer that is not listed any more: nobody will go on with it. */
  | "orphaned"
  /** Of a peer that is listed: it goes on with it, or will when it starts again. */
  | "taken";

export function claimOn(list: PeerList, peerName: string, self: ListedPeer): Claim {
  const holder = list.holderOf(peerName);
  if (holder === undefined) return "free";
  if (holder === self.peerName) return "ours";
  return list.has(holder) ? "taken" : "orphaned";
}

/**
 * How long a node leaves a removed one to others, in milliseconds: for each one, all nodes have an
 * order of their own, so that one of them goes ahead, and not always the same; the most do not even
 * have to look. It is a courtesy alone; the lock decides.
 */
export function turnMs(nodeNames: Iterable<string>, gone: string, own: string): number {
  const mine = weight(own, gone);
  let rank = 0;
  for (const name of nodeNames) if (name !== gone && weight(name, gone) > mine) rank++;
  const later = Math.max(0, rank - firstTurns);
  return Math.min((rank - later) * firstStepMs + later * laterStepMs, turnMaxMs);
}

/** Any number that is the same everywhere (highest random weight, Thaler and Ravishankar 1996). */
function weight(one: string, other: string): number {
  // FNV-1a, with a last mix: names differ in few digits.
  let hash = 0x811c9dc5;
  for (const letter of `${one} ${other}`) {
    hash = Math.imul(hash ^ letter.charCodeAt(0), 0x01000193);
  }
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  return (hash ^ (hash >>> 13)) >>> 0;
}
