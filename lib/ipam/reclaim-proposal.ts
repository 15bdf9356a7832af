import type { PeerName } from "../base/peer-name.ts";
import { type Ballot, compareBallots, type Vote } from "./reclaim-acceptor.ts";
import { type Decree, majorityOf } from "./reclaim-decree.ts";

/** Who votes, and how many of them must agree. */
export interface Electorate {
  readonly voters: readonly PeerName[];
  readonly needed: number;
}

/**
 * A council that exists decides by majority, one to be is formed by all of its members. Those that
 * are known to be dead cannot be asked; so many of the others are that they share one with every
 * majority that granted a lease or voted before.
 */
export function electorate(
  current: Decree,
  next: Decree,
  declaredDead: readonly number[],
): Electorate {
  const isForming = current.roster.length === 0;
  const members = isForming ? next.roster : current.roster;
  const voters = members.map(({ peer }) => peer);
  const dead = voters.filter((peer) => declaredDead.includes(peer)).length;
  const alive = voters.length - dead;
  if (isForming) return { voters, needed: Math.max(1, alive) };
  return { voters, needed: neededOf(voters.length, alive) };
}

/**
 *   roster    ●●●●●●● ○○○      10, of which 3 are dead
 *   majority      ●●● ○○○      6, of which at least 3 are alive
 *   needed    ●●●●●            one more than the 4 others that are alive
 */
function neededOf(size: number, alive: number): number {
  if (alive === size) return majorityOf(size);
  const aliveInMajority = Math.max(1, majorityOf(size) - (size - alive));
  return Math.max(1, majorityOf(alive), alive - aliveInMajority + 1);
}

/**
 * One attempt at the next decree.
 *
 *   preparing ──enough promises──▶ accepting ──enough votes──▶ decided
 *
 * If anybody has voted already, what was voted for under the highest ballot is proposed instead.
 */
export class Proposal {
  readonly ballot: Ballot;
  readonly startedMs: number;
  readonly declaredDead: readonly number[];
  readonly #current: Decree;
  readonly #complete: (decree: Decree) => Decree;
  readonly #promises = new Set<PeerName>();
  readonly #votes = new Set<PeerName>();
  #decree: Decree;
  #isAccepting = false;
  #best: Vote | undefined;

  constructor(
    ballot: Ballot,
    current: Decree,
    decree: Decree,
    options: {
      startedMs: number;
      declaredDead: readonly number[];
      /** Adds to the decree what is known only when enough have promised. */
      complete: (decree: Decree) => Decree;
    },
  ) {
    this.ballot = ballot;
    this.#current = current;
    this.#decree = decree;
    this.startedMs = options.startedMs;
    this.declaredDead = options.declaredDead;
    this.#complete = options.complete;
  }

  get decree(): Decree {
    return this.#decree;
  }

  isUnder({ round, proposer }: Ballot): boolean {
    return this.ballot.round === round && this.ballot.proposer === proposer;
  }

  get electorate(): Electorate {
    return electorate(this.#current, this.#decree, this.declaredDead);
  }

  /** Whether it is now time to ask for votes. */
  promised(by: PeerName, vote: Vote | undefined): boolean {
    const { voters, needed } = this.electorate;
    if (this.#isAccepting || !voters.includes(by)) return false;
    this.#promises.add(by);
    if (vote !== undefined && compareBallots(vote.ballot, this.#best?.ballot ?? vote.ballot) >= 0) {
      this.#best = vote;
    }
    if (this.#promises.size < needed) return false;
    this.#decree = this.#best?.decree ?? this.#complete(this.#decree);
    this.#isAccepting = true;
    return true;
  }

  /** Whether the decree is now decided. */
  voted(by: PeerName): boolean {
    const { voters, needed } = this.electorate;
    if (!this.#isAccepting || !voters.includes(by)) return false;
    this.#votes.add(by);
    return this.#votes.size >= needed;
  }
}
