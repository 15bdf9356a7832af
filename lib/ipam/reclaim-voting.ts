import type { PeerName } from "../base/peer-name.ts";
import type { World } from "../base/world.ts";
import type { AddressSet } from "./address-set.ts";
import type { AllocatorPeers } from "./allocator-config.ts";
import { Acceptor, type AcceptorState, type Vote } from "./reclaim-acceptor.ts";
import type { Word } from "./reclaim-codec.ts";
import { type Decree, forfeiters, memberOf, newlyTaken } from "./reclaim-decree.ts";
import { type CouncilRing, isMember, type Judge, type Standing } from "./reclaim-judge.ts";
import { electorate, Proposal } from "./reclaim-proposal.ts";
import type { CouncilWords } from "./reclaim-words.ts";

/** An attempt that has come to nothing for so long makes room for the next. */
const proposalMs = 10_000;
/** Pauses between attempts double up to this, or to a part of the silence that is waited for. */
const pauseMaxMs = 300_000;
const pausesPerSilence = 60;
/**
 * Members try one after the other, in the order of their names: so far apart that each has time for
 * its attempt, but closer in a large council, where the first may not want what the last wants.
 */
const turnMs = 15_000;
const turnsMaxMs = 60_000;

/** The words by which the next decree is decided. */
export type VotingWord = Extract<
  Word,
  { readonly kind: "prepare" | "promise" | "accept" | "accepted" }
>;

type Prepare = Extract<Word, { readonly kind: "prepare" }>;

/** What voting needs of the council around it. */
export interface VotingContext {
  readonly world: Pick<World, "monotonicMs">;
  readonly peers: AllocatorPeers;
  readonly ring: CouncilRing;
  readonly judge: Judge;
  readonly words: CouncilWords;
  standing(): Standing;
  /** A promise or a vote is to be stored before anybody hears of it. */
  promised(): void;
  /** We have voted for a first decree, which may stand from now on for all we know. */
  bound(): void;
}

/**
 * How the next decree is decided: this peer as one that proposes and as one that votes.
 *
 *   wanted ──others had their turn──▶ proposed ──enough promises──▶ put to the vote ──▶ decided
 *      ▲                                 │ nothing came of it              │
 *      └─────────────────────────────────┴─────────────────────────────────┘
 */
export class Voting {
  readonly #context: VotingContext;
  #acceptor = new Acceptor();
  #proposal: Proposal | undefined;
  #decided: Decree | undefined;
  #wantedSinceMs: number | undefined;
  #pauseMs = proposalMs;
  #pausedUntilMs = 0;

  constructor(context: VotingContext) {
    this.#context = context;
  }

  get state(): AcceptorState {
    return this.#acceptor.state;
  }

  restore(state: AcceptorState): void {
    this.#acceptor = new Acceptor(state);
  }

  /** Another epoch: nothing of this one counts any more. */
  reset(): void {
    this.#acceptor.reset();
    this.#proposal = undefined;
    this.#wantedSinceMs = undefined;
    this.#pauseMs = proposalMs;
    this.#pausedUntilMs = 0;
  }

  /** Whether `peer` may have a lease on `claimed` from us. */
  mayGrant(peer: PeerName, claimed: AddressSet): boolean {
    return this.#acceptor.mayGrant(peer, claimed);
  }

  /** A decree that was decided under our eyes. */
  takeDecided(): Decree | undefined {
    const decided = this.#decided;
    this.#decided = undefined;
    return decided;
  }

  tick(): void {
    const { judge, peers } = this.#context;
    const nowMs = this.#context.world.monotonicMs();
    if (this.#proposal !== undefined) {
      if (nowMs - this.#proposal.startedMs < proposalMs) return;
      this.#giveUp(this.#proposal, nowMs);
    }
    const standing = this.#context.standing();
    const wanted = judge.wanted(standing);
    this.#wantedSinceMs = wanted && (this.#wantedSinceMs ?? nowMs);
    if (wanted === undefined || this.#wantedSinceMs === undefined) return;
    const { voters } = electorate(standing.decree, wanted, standing.declaredDead);
    const rank = voters.filter((peer) => peer < standing.self.peer && peers.isKnown(peer)).length;
    const waitMs = rank * Math.min(turnMs, turnsMaxMs / voters.length);
    if (nowMs < this.#pausedUntilMs || nowMs - this.#wantedSinceMs < waitMs) return;
    this.#propose(wanted, standing, nowMs);
  }

  /** Each attempt sends everybody our ring: one that others do not agree to is not worth repeating. */
  #giveUp({ decree }: Proposal, nowMs: number): void {
    this.#proposal = undefined;
    this.#pausedUntilMs = nowMs + this.#pauseMs - proposalMs;
    const longest = Math.min(pauseMaxMs, decree.afterMs / pausesPerSilence);
    this.#pauseMs = Math.max(this.#pauseMs, Math.min(2 * this.#pauseMs, longest));
  }

  /** An operator waits: what is wanted now is proposed at once, by us. */
  hurry(): void {
    const standing = this.#context.standing();
    const wanted = this.#context.judge.wanted(standing);
    if (wanted === undefined) return;
    this.#pauseMs = proposalMs;
    this.#propose(wanted, standing, this.#context.world.monotonicMs());
  }

  hear(from: PeerName, word: VotingWord): void {
    switch (word.kind) {
      case "prepare":
        this.#hearPrepare(from, word);
        break;
      case "promise":
        if (this.#proposal?.isUnder(word.ballot)) this.#promised(from, word.vote);
        break;
      case "accept":
        if (this.#isNext(word.vote.decree) && this.#vote(word.vote)) {
          this.#context.words.say(from, { kind: "accepted", ballot: word.vote.ballot });
        }
        break;
      case "accepted":
        if (this.#proposal?.isUnder(word.ballot)) this.#voted(from);
        break;
    }
  }

  #isNext({ epoch }: Decree): boolean {
    return epoch === this.#context.standing().decree.epoch + 1;
  }

  #propose(decree: Decree, { decree: current, self, declaredDead }: Standing, startedMs: number) {
    const ballot = { round: this.state.promised.round + 1, proposer: self.peer };
    const complete = (next: Decree): Decree => this.#complete(current, next);
    this.#proposal = new Proposal(ballot, current, decree, { startedMs, declaredDead, complete });
    const before = this.state.accepted;
    const isVoted = before !== undefined;
    const word = { kind: "prepare", vote: { ballot, decree }, declaredDead, isVoted } as const;
    this.#tell(this.#proposal, word);
    if (this.#promise(word)) this.#promised(self.peer, before);
  }

  #tell({ electorate: { voters } }: Proposal, word: VotingWord): void {
    const { self } = this.#context.standing();
    for (const peer of voters) if (peer !== self.peer) this.#context.words.say(peer, word);
  }

  /** What is taken, now that we know the rings of those who promised. */
  #complete(current: Decree, next: Decree): Decree {
    const { peers, ring } = this.#context;
    const from = forfeiters(current, next).filter(
      (peer) => memberOf(current, peer) !== undefined || !peers.isKnown(peer),
    );
    return { ...next, moved: ring.ownedBy(from).ranges() };
  }

  #hearPrepare(from: PeerName, word: Prepare): void {
    const { vote } = word;
    if (from !== vote.ballot.proposer || !this.#isNext(vote.decree)) return;
    const before = this.state.accepted;
    if (!this.#promise(word)) return;
    this.#context.words.say(from, { kind: "promise", ballot: vote.ballot, vote: before });
  }

  #promise({ vote: { ballot, decree }, declaredDead, isVoted }: Prepare): boolean {
    const standing = { ...this.#context.standing(), declaredDead };
    if (!this.#context.judge.agrees(standing, decree, ballot.proposer, isVoted)) return false;
    const leaving = newlyTaken(standing.decree, decree);
    const theirs = this.#context.ring.ownedBy(leaving);
    if (!this.#acceptor.promise(ballot, leaving, theirs)) return false;
    this.#context.promised();
    return true;
  }

  #promised(by: PeerName, vote: Vote | undefined): void {
    const proposal = this.#proposal;
    if (proposal === undefined || !proposal.promised(by, vote)) return;
    const { ballot, decree } = proposal;
    this.#tell(proposal, { kind: "accept", vote: { ballot, decree } });
    if (this.#vote({ ballot, decree })) this.#voted(this.#context.standing().self.peer);
  }

  /** Votes for what a majority has promised to; whether that is still possible. */
  #vote(vote: Vote): boolean {
    const standing = this.#context.standing();
    const isForming = standing.decree.roster.length === 0;
    const isFirst = this.state.accepted === undefined;
    if (!isForming && !isMember(standing)) return false;
    if (!this.#acceptor.accept(vote)) return false;
    this.#context.promised();
    if (isForming && isFirst) this.#context.bound();
    return true;
  }

  #voted(by: PeerName): void {
    if (this.#proposal?.voted(by) !== true) return;
    this.#decided = this.#proposal.decree;
    this.#proposal = undefined;
  }
}
