import type { PeerName } from "../base/peer-name.ts";
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
}

export const freshAcceptor: AcceptorState = {
  promised: noBallot,
  accepted: undefined,
  fenced: [],
};

/**
 * A voter for the next decree (single-decree Paxos, one instance an epoch).
 *
 *   idle ──prepare──▶ promised ──accept──▶ accepted ──decided──▶ idle, in the next epoch
 *                     members about to        no leases
 *                     go get no lease         for anybody
 *
 * A member once fenced stays so until the epoch ends, even if another attempt that would keep it
 * comes in between: the first may still be decided.
 */
export class Acceptor {
  #state: AcceptorState;

  constructor(state: AcceptorState = freshAcceptor) {
    this.#state = state;
  }

  get state(): AcceptorState {
    return this.#state;
  }

  /** Whether `peer` may have a lease from us. */
  mayGrant(peer: PeerName): boolean {
    return this.#state.accepted === undefined && !this.#state.fenced.includes(peer);
  }

  /** Whether the ballot is the highest so far; if so, none below it counts any more. */
  promise(ballot: Ballot, leaving: readonly PeerName[]): boolean {
    if (compareBallots(ballot, this.#state.promised) <= 0) return false;
    const fenced = [...new Set([...this.#state.fenced, ...leaving])];
    this.#state = { ...this.#state, promised: ballot, fenced };
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
