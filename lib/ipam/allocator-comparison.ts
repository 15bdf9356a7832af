import { sha256 } from "@noble/hashes/sha2.js";
import { concatBytes, emptyBytes, equalBytes, utf8 } from "../base/bytes.ts";
import type { GossipData, StateComparison } from "../base/gossip.ts";
import { noPeer, type PeerName } from "../base/peer-name.ts";
import type { CouncilMessage } from "./reclaim-codec.ts";
import { noDecree } from "./reclaim-decree.ts";
import { type AllocatorMessage, encodeState } from "./state-codec.ts";

/**
 * How two peers find out that they have the same ring (docs/protocol.md). The digest is made of the
 * beginnings of two SHA-256:
 *
 *   ┌──────────────────────────────────────────────┬──────────────────────────────┐
 *   │ 16: state message without time and sender,   │ 8: what the sender says of   │
 *   │ nicknames of owners only, ascending          │ itself to the council        │
 *   └──────────────────────────────────────────────┴──────────────────────────────┘
 *
 * An equal digest counts as the message that it stands for, so whoever is asked whether a peer was
 * heard lately knows. While a ring is being elected the state is sent: elections live on it.
 */
const commonBytes = 16;
const presenceBytes = 8;

type Presence = CouncilMessage["presence"];

/** Presences that are remembered; the oldest goes first, and is told again. */
const presencesMax = 4096;

export interface ComparedAllocator {
  /** What we have to say to everybody; `undefined` while it cannot be stored. */
  message(): AllocatorMessage | undefined;
  full(): GossipData | undefined;
  /** Periodic gossip of a neighbour. @throws WeaveError when it is refused */
  receive(from: PeerName, state: AllocatorMessage): void;
}

export class AllocatorComparison implements StateComparison {
  readonly #allocator: ComparedAllocator;
  /** The last word of neighbours about themselves. */
  readonly #presences = new Map<PeerName, Presence>();

  constructor(allocator: ComparedAllocator) {
    this.#allocator = allocator;
  }

  /** A neighbour sent its state. */
  heard(from: PeerName, { council }: AllocatorMessage): void {
    this.#presences.delete(from);
    if (council?.presence.peer !== from) return;
    const [oldest] = this.#presences.keys();
    if (oldest !== undefined && this.#presences.size >= presencesMax)
      this.#presences.delete(oldest);
    this.#presences.set(from, council.presence);
  }

  digest(): Uint8Array | undefined {
    const message = this.#settled();
    return message === undefined ? undefined : digestOf(message, message.council?.presence);
  }

  inquire(from: PeerName, digest: Uint8Array): Uint8Array | undefined {
    const message = this.#settled();
    const presence = this.#presences.get(from);
    if (message === undefined) return emptyBytes;
    if (!equalBytes(digest, digestOf(message, presence))) return emptyBytes;
    const decree = message.council?.decree ?? noDecree;
    this.#allocator.receive(from, {
      ...message,
      ring: message.ring && { ...message.ring, peer: from },
      council: presence === undefined ? undefined : { presence, decree, words: [] },
    });
    return undefined;
  }

  answer(): GossipData | undefined {
    return this.#allocator.full();
  }

  /** What we have to say, unless a ring is being elected, or wanted by an observer. */
  #settled(): AllocatorMessage | undefined {
    const message = this.#allocator.message();
    const isSettled = message?.ring !== undefined || message?.paxos?.length === 0;
    return isSettled ? message : undefined;
  }
}

function digestOf(message: AllocatorMessage, presence: Presence | undefined): Uint8Array {
  return concatBytes(
    sha256(commonPart(message)).subarray(0, commonBytes),
    sha256(utf8(JSON.stringify(presenceFields(presence)))).subarray(0, presenceBytes),
  );
}

/** What all peers say alike once they agree. */
function commonPart({ ring, nicknames, paxos, council }: AllocatorMessage): Uint8Array {
  const owners = new Set(ring?.entries.map(({ peer }) => peer));
  const nobody: Presence = { peer: noPeer, incarnation: 0, afterMs: 0 };
  const decree = council?.decree;
  return encodeState({
    nowSeconds: 0,
    nicknames: nicknames.filter(([peer]) => owners.has(peer)).toSorted(([a], [b]) => a - b),
    paxos,
    ring: ring === undefined ? undefined : { ...ring, peer: noPeer },
    council:
      decree === undefined || decree.epoch === 0
        ? undefined
        : { presence: nobody, decree, words: [] },
  });
}

function presenceFields(presence: Presence | undefined): number[] {
  return presence === undefined ? [] : [presence.peer, presence.incarnation, presence.afterMs];
}
