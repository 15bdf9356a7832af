import type { PeerName } from "../base/peer-name.ts";
import { randomUint32 } from "../base/random.ts";
import type { World } from "../base/world.ts";
import { AddressSet } from "./address-set.ts";
import type { AllocatorPeers } from "./allocator-config.ts";
import type { StoredCouncil } from "./allocator-store.ts";
import { Acceptor, type Vote } from "./reclaim-acceptor.ts";
import type { CouncilMessage, Word } from "./reclaim-codec.ts";
import { type Decree, majorityOf, memberOf, newlyTaken, noDecree } from "./reclaim-decree.ts";
import {
  type CouncilConfig,
  type CouncilRing,
  isMember,
  Judge,
  type Standing,
} from "./reclaim-judge.ts";
import {
  type Clocks,
  LeaseKeeper,
  leaseHolds,
  leaseMsOf,
  leaseOfEarlierRun,
} from "./reclaim-lease.ts";
import { electorate, Proposal } from "./reclaim-proposal.ts";
import { Witness } from "./reclaim-witness.ts";
import { CouncilWords } from "./reclaim-words.ts";

/** An attempt that has come to nothing for so long makes room for the next. */
const proposalMs = 10_000;
/** Members try one after the other, in the order of their names. */
const rankMs = 15_000;
/** A request for a lease is repeated after this time, or sooner when leases are short. */
const renewalRetryMaxMs = 60_000;

/**
 * How peers agree to take the ranges of those that are gone (docs/ipam.md). Every member needs a
 * lease, granted by a majority, to use its ranges; a majority that has given a member no lease for
 * long enough decides that it is gone.
 *
 *   no council ──all owners are there, all of our kind──▶ council ──┐
 *        ▲                                                │  ▲      │ members come; the silent go,
 *        └─────── too few are left, or one is off ────────┘  └──────┘ their ranges to the heir
 *
 * It changes no ring: {@link takeDecided} tells what to do to it.
 */
export class Council {
  readonly #world: World;
  readonly #config: CouncilConfig;
  readonly #peers: AllocatorPeers;
  readonly #ring: CouncilRing;
  readonly #witness: Witness;
  readonly #judge: Judge;
  readonly #words: CouncilWords;
  readonly #lease = new LeaseKeeper(AddressSet.empty);
  readonly #declaredDead = new Set<PeerName>();
  #acceptor = new Acceptor();
  #incarnation: number;
  #decree = noDecree;
  #proposal: Proposal | undefined;
  #decided: Decree | undefined;
  #wantedSinceMs: number | undefined;
  #isUnsaved = false;
  #hasOpened = false;

  constructor(world: World, config: CouncilConfig, peers: AllocatorPeers, ring: CouncilRing) {
    this.#world = world;
    this.#config = config;
    this.#peers = peers;
    this.#ring = ring;
    const witness = new Witness(world.monotonicMs());
    this.#witness = witness;
    this.#words = new CouncilWords(config.self, peers);
    this.#judge = new Judge({ world, afterMs: config.afterMs, peers, ring, witness });
    this.#incarnation =
      1 + randomUint32(world.random) + 2 ** 32 * (randomUint32(world.random) >>> 16);
  }

  get decree(): Decree {
    return this.#decree;
  }

  get isMember(): boolean {
    return isMember(this.#standing);
  }

  /** Whether anything about a council is to be said or stored. */
  get isActive(): boolean {
    return this.#config.afterMs > 0 || this.#decree.epoch > 0;
  }

  restore(stored: StoredCouncil): void {
    this.#incarnation = stored.incarnation;
    this.#decree = stored.decree;
    this.#acceptor = new Acceptor(stored.acceptor);
    if (stored.leaseWallMs > 0) {
      this.#lease.restore(leaseOfEarlierRun(stored.leaseWallMs, this.#clocks()));
    }
  }

  /** Has the next change stored, whether or not anything happened. */
  store(): void {
    this.#isUnsaved = this.isActive;
  }

  unsaved(): StoredCouncil | undefined {
    if (!this.#isUnsaved) return undefined;
    return {
      incarnation: this.#incarnation,
      decree: this.#decree,
      acceptor: this.#acceptor.state,
      leaseWallMs: this.#lease.lease?.wallMs ?? 0,
    };
  }

  saved(): void {
    this.#isUnsaved = false;
  }

  /**
   * Whether our ranges may be used: without a council always, else as a member with a lease. Whoever
   * wants to become a member may be one already without knowing, and waits.
   */
  mayUse(): boolean {
    if (this.#isForming || this.isMember) return this.#holdsLease();
    if (this.#decree.roster.length === 0) return true;
    return !this.#isInRoster(this.#config.self) && this.#config.afterMs === 0;
  }

  /**
   * The part of our ranges that may be given away: what a majority knows to be ours. A range handed
   * on by someone whom the others never saw with it would outlive the lease it came from.
   */
  mayGive(free: AddressSet): AddressSet {
    if (!this.mayUse()) return AddressSet.empty;
    return this.isMember ? free.intersection(this.#lease.confirmed) : free;
  }

  /** Our ranges are `owned` now. */
  follow(owned: AddressSet): void {
    this.#lease.follow(owned);
  }

  /**
   * Whether ranges may go to `peer`. Only a member stops using them in time when those who do not
   * know of it take them from us.
   */
  mayGiveTo(peer: PeerName): boolean {
    return this.#decree.roster.length === 0 || this.#isInRoster(peer);
  }

  /** What a majority knows to be ours. */
  get confirmed(): AddressSet {
    return this.#lease.confirmed;
  }

  /** Milliseconds until our ranges may no longer be used; `undefined` unless we are a member. */
  get leaseLeftMs(): number | undefined {
    if (!this.isMember) return undefined;
    return this.mayUse() ? this.#lease.leftMs(this.#clocks(), this.#leaseMs) : 0;
  }

  /** Our part of a state message; `words` are for its one receiver. */
  message(words: readonly Word[] = []): CouncilMessage | undefined {
    if (!this.isActive) return undefined;
    const { self, afterMs } = this.#config;
    const presence = { peer: self, incarnation: this.#incarnation, afterMs };
    return { presence, decree: this.#decree, words };
  }

  /** What is to be said, by receiver. */
  takeWords(): Map<PeerName, Word[]> {
    return this.#words.take();
  }

  /** Whether a lease was granted since the last call. */
  takeOpened(): boolean {
    const hasOpened = this.#hasOpened;
    this.#hasOpened = false;
    return hasOpened;
  }

  /** A decree that was decided under our eyes: to be carried out in the ring, then adopted. */
  takeDecided(): Decree | undefined {
    const decided = this.#decided;
    this.#decided = undefined;
    return decided;
  }

  /** An operator says that `peer` is dead: it need neither be silent nor vote. */
  declareDead(peer: PeerName): void {
    if (memberOf(this.#decree, peer) !== undefined) this.#declaredDead.add(peer);
  }

  /** Somebody is there. */
  met({ presence, decree }: CouncilMessage): void {
    if (this.isActive && presence.peer !== this.#config.self) {
      this.#witness.met(presence, decree.epoch, this.#world.monotonicMs());
    }
  }

  /** From now on `decree` stands; the ring says the same already. */
  adopt(decree: Decree): void {
    this.#witness.learned(this.#decree, decree, this.#config.self, this.#world.monotonicMs());
    this.#decree = decree;
    this.#acceptor.reset();
    this.#proposal = undefined;
    this.#wantedSinceMs = undefined;
    this.#lease.forgetRequest();
    for (const peer of this.#declaredDead) {
      if (memberOf(decree, peer) === undefined) this.#declaredDead.delete(peer);
    }
    this.#isUnsaved = true;
    // A council that ended sets everything free.
    this.#hasOpened = true;
    if (this.isMember) this.#renew();
  }

  /** What a member says to us. Its ring has been merged before. */
  hear(from: PeerName, word: Word, sender: CouncilMessage): void {
    switch (word.kind) {
      case "greeting":
        break;
      case "renew":
        if (this.#grants(sender)) this.#words.say(from, { kind: "grant", serial: word.serial });
        break;
      case "grant":
        this.#granted(from, word.serial);
        break;
      case "prepare":
        this.#hearPrepare(from, word.vote, word.declaredDead);
        break;
      case "promise":
        if (this.#proposal?.isUnder(word.ballot)) this.#promised(from, word.vote);
        break;
      case "accept":
        if (this.#isNext(word.vote.decree) && this.#vote(word.vote)) {
          this.#words.say(from, { kind: "accepted", ballot: word.vote.ballot });
        }
        break;
      case "accepted":
        if (this.#proposal?.isUnder(word.ballot)) this.#voted(from);
        break;
    }
  }

  /** Every few seconds, once there is a ring. */
  tick(): void {
    if (!this.isActive) return;
    const { self } = this.#config;
    this.#witness.prune((peer) => this.#peers.isKnown(peer) || this.#isInRoster(peer));
    this.#words.greet();
    if (this.isMember && this.#isRenewalDue()) this.#renew();
    const nowMs = this.#world.monotonicMs();
    this.#witness.saw(this.#peers.knownPeers(), self, nowMs);
    if (this.#proposal !== undefined) {
      if (nowMs - this.#proposal.startedMs < proposalMs) return;
      this.#proposal = undefined;
    }
    const wanted = this.#judge.wanted(this.#standing);
    this.#wantedSinceMs = wanted && (this.#wantedSinceMs ?? nowMs);
    if (wanted === undefined || this.#wantedSinceMs === undefined) return;
    const { voters } = electorate(this.#decree, wanted, [...this.#declaredDead]);
    const rank = voters.filter((peer) => peer < self && this.#peers.isKnown(peer)).length;
    if (nowMs - this.#wantedSinceMs >= rank * rankMs) this.#propose(wanted);
  }

  get #standing(): Standing {
    return {
      decree: this.#decree,
      self: { peer: this.#config.self, incarnation: this.#incarnation },
      acceptor: this.#acceptor.state,
      declaredDead: [...this.#declaredDead],
    };
  }

  /** Whether we voted for the first decree, which may stand by now for all we know. */
  get #isForming(): boolean {
    return this.#decree.roster.length === 0 && this.#acceptor.state.accepted !== undefined;
  }

  get #leaseMs(): number {
    const forming = this.#isForming ? this.#acceptor.state.accepted?.decree : undefined;
    return leaseMsOf((forming ?? this.#decree).afterMs);
  }

  #clocks(): Clocks {
    return { monotonicMs: this.#world.monotonicMs(), wallMs: this.#world.now() };
  }

  #holdsLease(): boolean {
    const holds = this.#config.fence ?? leaseHolds;
    return holds(this.#lease.lease, this.#clocks(), this.#leaseMs);
  }

  #isInRoster(peer: PeerName): boolean {
    return memberOf(this.#decree, peer) !== undefined;
  }

  #isNext({ epoch }: Decree): boolean {
    return epoch === this.#decree.epoch + 1;
  }

  #isRenewalDue(): boolean {
    const nowMs = this.#world.monotonicMs();
    const { askedMs, lease, confirmed } = this.#lease;
    if (askedMs !== undefined) {
      return nowMs - askedMs >= Math.min(renewalRetryMaxMs, this.#leaseMs / 16);
    }
    const hasGained = this.#ring.owned().difference(confirmed).size > 0;
    if (lease === undefined || hasGained || !this.#holdsLease()) return true;
    return nowMs - lease.monotonicMs >= this.#leaseMs / 4;
  }

  #renew(): void {
    const { self } = this.#config;
    const serial = this.#lease.ask(this.#clocks(), this.#ring.owned());
    for (const { peer } of this.#decree.roster) {
      if (peer !== self && this.#peers.canReach(peer))
        this.#words.say(peer, { kind: "renew", serial });
    }
    if (this.#acceptor.mayGrant(self)) this.#granted(self, serial);
  }

  /** A lease is for a member that knows the decree that we know, and is not about to go. */
  #grants({ presence, decree }: CouncilMessage): boolean {
    return (
      this.isMember &&
      decree.epoch === this.#decree.epoch &&
      memberOf(this.#decree, presence.peer)?.incarnation === presence.incarnation &&
      this.#acceptor.mayGrant(presence.peer)
    );
  }

  #granted(by: PeerName, serial: number): void {
    const needed = majorityOf(this.#decree.roster.length);
    if (!this.isMember || !this.#isInRoster(by)) return;
    if (!this.#lease.granted(by, serial, needed)) return;
    this.#isUnsaved = true;
    this.#hasOpened = true;
  }

  #propose(decree: Decree): void {
    const { self } = this.#config;
    const round = this.#acceptor.state.promised.round + 1;
    const ballot = { round, proposer: self };
    const declaredDead = [...this.#declaredDead];
    const startedMs = this.#world.monotonicMs();
    this.#proposal = new Proposal(ballot, this.#decree, decree, { startedMs, declaredDead });
    const vote = { ballot, decree };
    for (const peer of this.#proposal.electorate.voters) {
      if (peer !== self) this.#words.say(peer, { kind: "prepare", vote, declaredDead });
    }
    const before = this.#acceptor.state.accepted;
    if (this.#promise(vote, declaredDead)) this.#promised(self, before);
  }

  #hearPrepare(from: PeerName, vote: Vote, declaredDead: readonly number[]): void {
    if (from !== vote.ballot.proposer || !this.#isNext(vote.decree)) return;
    const before = this.#acceptor.state.accepted;
    if (!this.#promise(vote, declaredDead)) return;
    this.#words.say(from, { kind: "promise", ballot: vote.ballot, vote: before });
  }

  #promise({ ballot, decree }: Vote, declaredDead: readonly number[]): boolean {
    const standing = { ...this.#standing, declaredDead };
    if (!this.#judge.agrees(standing, decree, ballot.proposer)) return false;
    if (!this.#acceptor.promise(ballot, newlyTaken(this.#decree, decree))) return false;
    this.#isUnsaved = true;
    return true;
  }

  #promised(by: PeerName, vote: Vote | undefined): void {
    const proposal = this.#proposal;
    if (proposal === undefined || !proposal.promised(by, vote)) return;
    const { ballot, decree } = proposal;
    for (const peer of proposal.electorate.voters) {
      if (peer !== this.#config.self)
        this.#words.say(peer, { kind: "accept", vote: { ballot, decree } });
    }
    if (this.#vote({ ballot, decree })) this.#voted(this.#config.self);
  }

  /** Votes for what a majority has promised to; whether that is still possible. */
  #vote(vote: Vote): boolean {
    const isVoter = this.#decree.roster.length === 0 || this.isMember;
    if (!isVoter || !this.#acceptor.accept(vote)) return false;
    // Nobody can find us gone earlier than this long after our own vote.
    if (this.#isForming) this.#lease.restore(this.#clocks());
    this.#isUnsaved = true;
    return true;
  }

  #voted(by: PeerName): void {
    if (this.#proposal?.voted(by) !== true) return;
    this.#decided = this.#proposal.decree;
    this.#proposal = undefined;
  }
}
