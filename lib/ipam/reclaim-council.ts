import type { PeerName } from "../base/peer-name.ts";
import { randomUint32 } from "../base/random.ts";
import type { World } from "../base/world.ts";
import { AddressSet } from "./address-set.ts";
import type { AllocatorPeers } from "./allocator-config.ts";
import type { StoredCouncil } from "./allocator-store.ts";
import type { CouncilMessage, Word } from "./reclaim-codec.ts";
import { type Decree, type Member, majorityOf, memberOf, noDecree } from "./reclaim-decree.ts";
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
import { Voting } from "./reclaim-voting.ts";
import { Witness } from "./reclaim-witness.ts";
import { CouncilWords } from "./reclaim-words.ts";

/** The incarnation of a peer that left: whoever starts again with its disk is another. */
const nobody = 0;
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
  readonly #voting: Voting;
  readonly #words: CouncilWords;
  readonly #lease: LeaseKeeper;
  /** Members that will not come back, with the incarnation that this was said of. */
  readonly #declaredDead = new Map<PeerName, number>();
  #incarnation: number;
  #decree = noDecree;
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
    this.#voting = new Voting({
      world,
      peers,
      ring,
      words: this.#words,
      judge: new Judge({ world, afterMs: config.afterMs, peers, ring, witness }),
      standing: () => this.#standing,
      promised: () => {
        this.#isUnsaved = true;
      },
      // Nobody can find us gone earlier than this long after our vote, which tells what is ours.
      bound: () => this.#lease.restore(this.#clocks(), ring.owned()),
    });
    this.#lease = new LeaseKeeper(AddressSet.empty, randomUint32(world.random));
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
    if (stored.incarnation !== nobody) this.#incarnation = stored.incarnation;
    this.#decree = stored.decree;
    this.#voting.restore(stored.acceptor);
    if (stored.leaseWallMs > 0) {
      const lease = leaseOfEarlierRun(stored.leaseWallMs, this.#clocks());
      this.#lease.restore(lease, AddressSet.of(stored.confirmed));
    }
    this.#witness.restore(stored.witness, this.#world.monotonicMs());
  }

  /** Has the next change stored, whether or not anything happened. */
  store(): void {
    this.#isUnsaved = this.isActive;
  }

  unsaved(): StoredCouncil | undefined {
    if (!this.#isUnsaved) return undefined;
    const nowMs = this.#world.monotonicMs();
    return {
      incarnation: this.#incarnation,
      decree: this.#decree,
      acceptor: this.#voting.state,
      leaseWallMs: this.#lease.lease?.wallMs ?? 0,
      confirmed: this.#lease.confirmed.ranges(),
      witness: this.#witness.record(this.#decree, this.#config.self, nowMs),
    };
  }

  /** `stored`, the last answer of {@link unsaved}, is stored. */
  saved({ witness }: StoredCouncil): void {
    this.#isUnsaved = false;
    this.#witness.recorded(witness);
  }

  /**
   * Whether our ranges may be used: without a council always, else as a member with a lease. Whoever
   * wants to become a member may be one already without knowing, and waits.
   */
  mayUse(): boolean {
    if (this.isBound) return this.#holdsLease();
    if (this.#decree.roster.length === 0) return true;
    return !this.#isInRoster(this.#config.self) && this.#config.afterMs === 0;
  }

  /**
   * The part of our ranges that may be given out or away: what a majority knows to be ours. Of a
   * range that we have just got the others may know nothing, and take it from whom we got it.
   */
  usable(): AddressSet {
    if (!this.mayUse()) return AddressSet.empty;
    return this.isBound ? this.#lease.confirmed : this.#ring.owned();
  }

  /** Our ranges are `owned` now. */
  follow(owned: AddressSet): void {
    if (this.#lease.follow(owned)) this.store();
  }

  /** Has the others know what we have got since they last confirmed what is ours. */
  confirmGains(): void {
    const isQuiet = this.#lease.askedMs === undefined && this.#voting.state.accepted === undefined;
    if (isQuiet && this.isMember && this.#hasGained) this.#renew();
  }

  /**
   * Whether ranges may go to `peer`. Only a member stops using them in time when those who do not
   * know of it take them from us.
   */
  mayGiveTo(peer: PeerName): boolean {
    const { roster } = this.#standingOrToBe;
    return roster.length === 0 || roster.some((member) => member.peer === peer);
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
    return this.#voting.takeDecided();
  }

  /** Whether `peer` is a member, or is to be one of the first. */
  knows(peer: PeerName): boolean {
    return this.#memberToBe(peer) !== undefined;
  }

  /** An operator says that `peer` is dead: it need neither be silent nor vote. */
  declareDead(peer: PeerName): void {
    this.#isLost(peer);
    this.#voting.hurry();
  }

  #isLost(peer: PeerName): void {
    const member = this.#memberToBe(peer);
    if (member !== undefined) this.#declaredDead.set(peer, member.incarnation);
  }

  /** We use our ranges no more; the others need not wait to take what is left of them. */
  leave(): void {
    if (!this.isMember) return;
    const incarnation = this.#incarnation;
    for (const { peer } of this.#decree.roster) {
      if (peer !== this.#config.self) this.#words.say(peer, { kind: "leave", incarnation });
    }
    this.#incarnation = nobody;
    this.#lease.restore(undefined, AddressSet.empty);
    this.store();
  }

  /** Somebody is there. */
  met({ presence, decree }: CouncilMessage): void {
    if (!this.isActive || presence.peer === this.#config.self) return;
    const nowMs = this.#world.monotonicMs();
    if (this.#witness.met(presence, decree.epoch, nowMs)) this.store();
  }

  /** From now on `decree` stands; the ring says the same already. */
  adopt(decree: Decree): void {
    this.#witness.learned(this.#decree, decree, this.#config.self, this.#world.monotonicMs());
    this.#decree = decree;
    this.#voting.reset();
    this.#lease.forgetRequest();
    for (const [peer, incarnation] of this.#declaredDead) {
      if (memberOf(decree, peer)?.incarnation !== incarnation) this.#declaredDead.delete(peer);
    }
    this.#isUnsaved = true;
    // A council that ended sets everything free.
    this.#hasOpened = true;
    if (this.isMember) this.#renew();
  }

  /** What a member says to us, who believes to own `claimed`. Its ring has been merged before. */
  hear(from: PeerName, word: Word, sender: CouncilMessage, claimed: AddressSet): void {
    switch (word.kind) {
      case "greeting":
        break;
      case "renew":
        this.#hearRenewal(from, word.serial, sender, claimed);
        break;
      case "leave":
        if (memberOf(this.#decree, from)?.incarnation === word.incarnation) this.#isLost(from);
        break;
      case "grant":
        this.#granted(from, word.serial);
        break;
      default:
        this.#voting.hear(from, word);
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
    if (this.isMember && this.#witness.isRecordDue(this.#decree, self, nowMs)) this.store();
    this.#voting.tick();
  }

  get #standing(): Standing {
    return {
      decree: this.#decree,
      self: { peer: this.#config.self, incarnation: this.#incarnation },
      acceptor: this.#voting.state,
      declaredDead: [...this.#declaredDead.keys()],
    };
  }

  /** What stands; before there is a council, what may stand for all we know. */
  get #standingOrToBe(): Decree {
    const forming = this.#isForming ? this.#voting.state.accepted?.decree : undefined;
    return forming ?? this.#decree;
  }

  #memberToBe(peer: PeerName): Member | undefined {
    return memberOf(this.#standingOrToBe, peer);
  }

  /** Whether we need a lease. */
  get isBound(): boolean {
    return this.#isForming || this.isMember;
  }

  get #hasGained(): boolean {
    return this.#ring.owned().difference(this.#lease.confirmed).size > 0;
  }

  /** Whether we voted for the first decree, which may stand by now for all we know. */
  get #isForming(): boolean {
    return this.#decree.roster.length === 0 && this.#voting.state.accepted !== undefined;
  }

  get #leaseMs(): number {
    return leaseMsOf(this.#standingOrToBe.afterMs);
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

  #isRenewalDue(): boolean {
    const nowMs = this.#world.monotonicMs();
    const { askedMs, lease } = this.#lease;
    if (askedMs !== undefined) {
      return nowMs - askedMs >= Math.min(renewalRetryMaxMs, this.#leaseMs / 16);
    }
    if (lease === undefined || this.#hasGained || !this.#holdsLease()) return true;
    return nowMs - lease.monotonicMs >= this.#leaseMs / 4;
  }

  #renew(): void {
    const { self } = this.#config;
    const owned = this.#ring.owned();
    const serial = this.#lease.ask(this.#clocks(), owned);
    for (const { peer } of this.#decree.roster) {
      if (peer !== self && this.#peers.canReach(peer))
        this.#words.say(peer, { kind: "renew", serial });
    }
    if (this.#voting.mayGrant(self, owned)) this.#granted(self, serial);
  }

  #hearRenewal(from: PeerName, serial: number, sender: CouncilMessage, claimed: AddressSet): void {
    // It is not the owner of all that it believes to own: it gets our ring to see that.
    const isMistaken = claimed.difference(this.#ring.ownedBy([from])).size > 0;
    if (isMistaken) this.#words.say(from, { kind: "greeting" });
    else if (this.#grants(sender, claimed)) this.#words.say(from, { kind: "grant", serial });
  }

  /** A lease is for a member that knows the decree that we know, and is not about to go. */
  #grants({ presence, decree }: CouncilMessage, claimed: AddressSet): boolean {
    return (
      this.isMember &&
      decree.epoch === this.#decree.epoch &&
      memberOf(this.#decree, presence.peer)?.incarnation === presence.incarnation &&
      this.#voting.mayGrant(presence.peer, claimed)
    );
  }

  #granted(by: PeerName, serial: number): void {
    const needed = majorityOf(this.#decree.roster.length);
    if (!this.isMember || !this.#isInRoster(by)) return;
    if (!this.#lease.granted(by, serial, needed)) return;
    this.#isUnsaved = true;
    this.#hasOpened = true;
  }
}
