import { errorCode, WeaveError } from "../base/errors.ts";
import { formatPeerName, type PeerName, parsePeerName } from "../base/peer-name.ts";
import type { AllocatorPeers } from "./allocator-config.ts";
import type { Nicknames } from "./nicknames.ts";
import type { Ring } from "./ring.ts";

/**
 * Who gets our ranges when we leave for good (ipam §13): a known owner, a known peer, any owner, any
 * peer ever heard of. `undefined` when there is nobody: the ranges then stay ours.
 */
export function findHeir(
  ring: Ring,
  nicknames: Nicknames,
  peers: AllocatorPeers,
  isEligible: (peer: PeerName) => boolean = () => true,
): PeerName | undefined {
  const named = nicknames
    .entries()
    .flatMap(([peer]) => (peer === ring.self || !isEligible(peer) ? [] : [peer]));
  return (
    ring.heir((peer) => isEligible(peer) && peers.isKnown(peer)) ??
    named.find((peer) => peers.isKnown(peer)) ??
    ring.heir(isEligible) ??
    named[0]
  );
}

/**
 * The owner of ranges, or member of the council, that `text` means, a nickname or a name.
 * `undefined` for a peer that is unknown, ourselves, or neither: there is nothing to take over.
 *
 * @throws WeaveError `IPAM_NICKNAME_AMBIGUOUS`; `IPAM_PEER_ALIVE` unless forced
 */
export function findTakeover(
  text: string,
  ring: Ring,
  nicknames: Nicknames,
  peers: AllocatorPeers,
  options: { force: boolean; isMember(peer: PeerName): boolean },
): PeerName | undefined {
  const peer = namedBy(text, nicknames, peers);
  if (peer === undefined || peer === ring.self) return undefined;
  if (!ring.hasEntryOf(peer) && !options.isMember(peer)) return undefined;
  if (peers.isKnown(peer) && !options.force) {
    throw new WeaveError(
      "IPAM_PEER_ALIVE",
      `peer ${nicknames.describe(peer)} is still part of the network`,
      {
        remedy:
          "run 'weave reset' on its host to have it hand over its addresses; when it is dead all " +
          "the same, wait until it is gone from 'weave status peers', or use --force",
      },
    );
  }
  return peer;
}

function namedBy(text: string, nicknames: Nicknames, peers: AllocatorPeers): PeerName | undefined {
  const candidates = new Set(nicknames.peersCalled(text));
  for (const peer of peers.knownPeers()) if (peers.nickname(peer) === text) candidates.add(peer);
  if (candidates.size > 1) {
    const names = [...candidates].map(formatPeerName).sort().join(", ");
    throw new WeaveError("IPAM_NICKNAME_AMBIGUOUS", `several peers are called ${text}: ${names}`, {
      remedy: "give the name of the peer instead of its nickname",
    });
  }
  return candidates.values().next().value ?? tryParseName(text);
}

function tryParseName(text: string): PeerName | undefined {
  try {
    return parsePeerName(text);
  } catch (error) {
    if (errorCode(error) === "PEER_NAME_FORMAT") return undefined;
    throw error;
  }
}
