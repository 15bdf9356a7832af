import type { PeerName } from "../base/peer-name.ts";
import type { World } from "../base/world.ts";
import type { AddressSet } from "./address-set.ts";
import type { AllocatorPeers } from "./allocator-config.ts";
import type { AcceptorState } from "./reclaim-acceptor.ts";
import {
  type Decree,
  follow,
  type Member,
  memberOf,
  newlyTaken,
  rosterMax,
  rosterMin,
} from "./reclaim-decree.ts";
import { type Fence, tenureMsOf } from "./reclaim-lease.ts";
import type { Witness } from "./reclaim-witness.ts";

export interface CouncilConfig {
  readonly self: PeerName;
  /** `--reclaim-after` in milliseconds; 0 for off. */
  readonly afterMs: number;
  readonly fence?: Fence;
}

/** What the council asks of the ring. */
export interface CouncilRing {
  owners(): ReadonlySet<PeerName>;
  owned(): AddressSet;
  ownedBy(peers: Iterable<PeerName>): AddressSet;
}

/** Where a peer stands when it is asked what it thinks. */
export interface Standing {
  /** What was decided last. */
  readonly decree: Decree;
  /** This peer as a member. */
  readonly self: Member;
  readonly acceptor: AcceptorState;
  /** Said by operators or by those who left, here or, when another peer asks, where it asks. */
  readonly declaredDead: readonly number[];
}

interface Evidence {
  readonly world: Pick<World, "monotonicMs">;
  /** `--reclaim-after` in milliseconds; 0 for off. */
  readonly afterMs: number;
  readonly peers: AllocatorPeers;
  readonly ring: CouncilRing;
  readonly witness: Witness;
}

/** Whoever is of our kind has said so by then. */
const strangerMs = 60_000;

/** What a peer thinks should be decided next, and what it would vote for. */
export class Judge {
  readonly #evidence: Evidence;

  constructor(evidence: Evidence) {
    this.#evidence = evidence;
  }

  /** The decree that there should be next; `undefined` when all is well. */
  wanted(standing: Standing): Decree | undefined {
    const { decree, self, acceptor } = standing;
    if (decree.roster.length === 0) return this.#wantedFirst(standing);
    if (!isMember(standing)) return undefined;
    const admitted = this.#applicants(decree);
    const taken = this.#gone(standing);
    const dissolved = this.#isAnyOff(standing);
    const isIdle = admitted.length + taken.length === 0 && !dissolved;
    // A decision that may be under way is brought to its end, if only to confirm what stands.
    const isBusy = acceptor.accepted !== undefined || acceptor.fenced.length > 0;
    if (isIdle && !isBusy) return undefined;
    const { afterMs } = decree;
    return follow(decree, { heir: self.peer, afterMs, admitted, taken, dissolved });
  }

  /** Whether to promise a vote for `next`; some have voted already if `isVoted`. */
  agrees(standing: Standing, next: Decree, proposer: PeerName, isVoted: boolean): boolean {
    const { decree, self } = standing;
    if (decree.roster.length === 0) {
      // All of them found it right once, or nobody could have voted. Whoever came since can wait.
      return isVoted ? memberOf(next, self.peer) !== undefined : this.#mayForm(standing, next);
    }
    if (!isMember(standing) || memberOf(decree, proposer) === undefined) return false;
    return newlyTaken(decree, next).every(
      (peer) => peer !== self.peer && this.#mayTake(standing, peer),
    );
  }

  /** All that are there, if they are of our kind, are enough and include every owner. */
  #wantedFirst(standing: Standing): Decree | undefined {
    const { decree, self, acceptor } = standing;
    if (acceptor.accepted !== undefined) return acceptor.accepted.decree;
    const { afterMs } = this.#evidence;
    const admitted = [...this.#applicants(decree), self];
    const change = { heir: self.peer, afterMs, admitted, taken: [], dissolved: false };
    const next = follow(decree, change);
    return this.#mayForm(standing, next) ? next : undefined;
  }

  #mayForm({ self, acceptor }: Standing, next: Decree): boolean {
    // What we voted for may stand already: it is to be brought to its end, come what may.
    if (isSameRoster(next, acceptor.accepted?.decree)) return true;
    const { afterMs, peers, ring } = this.#evidence;
    if (afterMs === 0 || next.roster.length < rosterMin) return false;
    // If it is not with the disk that we have now, we are admitted anew as soon as it stands.
    if (memberOf(next, self.peer) === undefined) return false;
    if (!this.#areAllOfOurKind(self.peer)) return false;
    const names = new Set(next.roster.map(({ peer }) => peer));
    return [...peers.knownPeers(), ...ring.owners()].every((peer) => names.has(peer));
  }

  #applicants(decree: Decree): Member[] {
    const { peers, witness } = this.#evidence;
    return [...witness.presences()]
      .filter(({ peer, incarnation, afterMs, epoch }) => {
        const isMember = memberOf(decree, peer)?.incarnation === incarnation;
        // Whoever does not know what we know may have lost ranges since, and must learn of it first.
        const isUpToDate = epoch === decree.epoch;
        const isWilling = afterMs > 0 && incarnation > 0;
        return !isMember && isUpToDate && isWilling && peers.isKnown(peer);
      })
      .slice(0, rosterMax - decree.roster.length - 1)
      .map(({ peer, incarnation }) => ({ peer, incarnation }));
  }

  #gone(standing: Standing): PeerName[] {
    const names = standing.decree.roster.map(({ peer }) => peer);
    return names.filter((peer) => peer !== standing.self.peer && this.#mayTake(standing, peer));
  }

  /** Whether the ranges of a member may be taken, as far as we can tell. */
  #mayTake({ decree, self, declaredDead }: Standing, peer: PeerName): boolean {
    if (declaredDead.includes(peer)) return true;
    const { peers, witness, world } = this.#evidence;
    const nowMs = world.monotonicMs();
    return (
      !peers.isKnown(peer) &&
      witness.silenceMs(peer, nowMs) >= decree.afterMs &&
      witness.tenureMs(nowMs) >= tenureMsOf(decree.afterMs) &&
      this.#areAllOfOurKind(self.peer)
    );
  }

  #isAnyOff({ decree, self }: Standing): boolean {
    const { afterMs, witness, world } = this.#evidence;
    // A cluster of two kinds has no council: members give nothing to others while there is one.
    if (witness.hasStranger(strangerMs, world.monotonicMs())) return true;
    return decree.roster.some(({ peer }) => {
      const theirs = peer === self.peer ? afterMs : witness.presence(peer)?.afterMs;
      return theirs === 0;
    });
  }

  #areAllOfOurKind(self: PeerName): boolean {
    const { peers, witness } = this.#evidence;
    for (const peer of peers.knownPeers()) {
      if (peer !== self && !witness.presence(peer)?.afterMs) return false;
    }
    return true;
  }
}

export function isMember({ decree, self }: Pick<Standing, "decree" | "self">): boolean {
  return memberOf(decree, self.peer)?.incarnation === self.incarnation;
}

function isSameRoster(a: Decree, b: Decree | undefined): boolean {
  return (
    a.roster.length === b?.roster.length &&
    a.roster.every(({ peer, incarnation }) => memberOf(b, peer)?.incarnation === incarnation)
  );
}
