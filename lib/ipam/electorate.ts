import type { PeerName } from "../base/peer-name.ts";
import type { AllocatorPeers } from "./allocator-config.ts";

/** Milliseconds within which all have voted who ever will, once an election is called. */
export const voteMaxMs = 2_500;

/**
 * Of peers that were not configured this many are counted at most, ourselves included. Votes are told
 * to everybody by everybody: what an election costs grows with the cube of those who have a say in it.
 */
export const seenMax = 31;

/**
 * How many peers are to agree on the first ring, by their majority (ipam §2, §9). The original counts
 * the targets that a peer was given: one that was given none decides alone, while those that were
 * given it agree without it, and there are two rings. So a peer counts at least those that it sees:
 *
 *   election called ─────────────── voteMaxMs ───────────────▶
 *   all in the topology, and whoever      those of them that have voted
 *   has called us and not said its name
 *
 * Who has not voted by then never will: it observes, or allocates nothing.
 */
export class Electorate {
  readonly #peers: Pick<AllocatorPeers, "isKnown" | "inSight">;
  readonly #observers = new Set<PeerName>();
  #call = { configured: 1, atMs: Number.POSITIVE_INFINITY };

  constructor(peers: Pick<AllocatorPeers, "isKnown" | "inSight">) {
    this.#peers = peers;
  }

  /** The election begins. @param configured peers that we were told of, and ourselves */
  called(configured: number, atMs: number): void {
    this.#call = { configured, atMs };
  }

  /** A neighbour shows that it has no say. */
  observes(peer: PeerName): void {
    if (this.#peers.isKnown(peer)) this.#observers.add(peer);
  }

  /** A peer left the topology; it may come back as something else. */
  gone(peer: PeerName): void {
    this.#observers.delete(peer);
  }

  /** @param voters whoever has voted since this process began, ourselves included */
  size(voters: Iterable<PeerName>, nowMs: number): number {
    const { configured, atMs } = this.#call;
    const seen = nowMs - atMs < voteMaxMs ? this.#inSight() : this.#voting(voters);
    return Math.max(configured, Math.min(seen, seenMax));
  }

  #inSight(): number {
    return this.#peers.inSight() - this.#observers.size;
  }

  #voting(voters: Iterable<PeerName>): number {
    return [...new Set(voters)].filter((peer) => this.#peers.isKnown(peer)).length;
  }
}
