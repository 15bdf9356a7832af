import type { PeerName } from "../base/peer-name.ts";
import { AddressSet } from "./address-set.ts";
import type { AddressRange } from "./range.ts";
import type { Decree } from "./reclaim-decree.ts";

/** Orders attempts at one decree: by round, then by who tries. */
export interface Ballot {
  readonly round: number;
  readonly proposer: PeerName;
}

export const noBallot: Ballot = { round: 0, proposer: 0 as PeerName };

export function compareBallots(a: Ballot, b: Ballot): number {
  return a.round - b.round || a.proposer - b.proposer;
}

export interface Vote {
  readonly ballot: Ballot;
  readonly decree: Decree;
}

/** What a voter must remember until the next decree is decided. */
export interface AcceptorState {
  readonly promised: Ballot;
  readonly accepted: Vote | undefined;
  /** Members that get no lease from us any more. */
  readonly fenced: readonly PeerName[];
  /**
   * What these owned when we promised. Nobody else gets a lease on it from us any more: whoever
   * proposes counts on our word, and may not hear of it.
   */
  readonly withheld: readonly AddressRange[];
}

export const freshAcceptor: AcceptorState = {
  promised: noBallot,
  accepted: undefined,
  fenced: [],
  withheld: [],
};

/**
 * A voter for the next decree (single-decree Paxos, one instance an epoch).
 *
 *   idle ──prepare──▶ promised ──accept──▶ accepted ──decided──▶ idle, in the next epoch
 *                     members about to        no leases
 *                     go get no lease         for anybody
 *
 * A member once fenced stays so until the epoch ends, with all that it owned, even if another attempt
 * that would keep it comes in between: the first may still be decided.
 */
export class Acceptor {
  #state: AcceptorState;

  constructor(state: AcceptorState = freshAcceptor) {
    this.#state = state;
  }

  get state(): AcceptorState {
    return this.#state;
  }

  /** Whether `peer` may have a lease on `claimed` from us. */
  mayGrant(peer: PeerName, claimed: AddressSet): boolean {
    const { accepted, fenced, withheld } = this.#state;
    if (accepted !== undefined || fenced.includes(peer)) return false;
    return withheld.every((range) => claimed.countIn(range) === 0);
  }

  /**
   * Whether the ballot is the highest so far; if so, none below it counts any more. Those `leaving`
   * are about to go, and own `theirs`.
   */
  promise(ballot: Ballot, leaving: readonly PeerName[], theirs: AddressSet): boolean {
    if (compareBallots(ballot, this.#state.promised) <= 0) return false;
    const fenced = [...new Set([...this.#state.fenced, ...leaving])];
    const withheld = AddressSet.of(this.#state.withheld).union(theirs).ranges();
    this.#state = { ...this.#state, promised: ballot, fenced, withheld };
    return true;
  }

  accept({ ballot, decree }: Vote): boolean {
    if (compareBallots(ballot, this.#state.promised) < 0) return false;
    this.#state = { ...this.#state, promised: ballot, accepted: { ballot, decree } };
    return true;
  }

  reset(): void {
    this.#state = freshAcceptor;
  }
}
