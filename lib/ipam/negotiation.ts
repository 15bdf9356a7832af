import { WeaveError } from "../base/errors.ts";
import type { PeerName } from "../base/peer-name.ts";
import type { World } from "../base/world.ts";
import { AddressSet } from "./address-set.ts";
import type { AllocatorConfig, AllocatorPeers } from "./allocator-config.ts";
import { Conflicts } from "./conflicts.ts";
import { Election, type ElectionStep } from "./election.ts";
import { Electorate } from "./electorate.ts";
import type { HeldAddress } from "./held-addresses.ts";
import { quorumOf } from "./init-mode.ts";
import type { Ledger } from "./ledger.ts";
import { Nicknames } from "./nicknames.ts";
import type { Outbox } from "./outbox.ts";
import type { AddressRange } from "./range.ts";
import type { CouncilMessage, Word } from "./reclaim-codec.ts";
import { Council } from "./reclaim-council.ts";
import { type Decree, newlyTaken, wasTaken } from "./reclaim-decree.ts";
import { rangesOwned } from "./ring-entry.ts";
import { SpaceTrade } from "./space-trade.ts";
import type { AllocatorMessage, SentRing } from "./state-codec.ts";
import { findHeir, findTakeover } from "./succession.ts";
import { encodeUnicast } from "./unicast-codec.ts";

/**
 * How peers agree on who owns what: electing the first ring, merging the rings of others, taking the
 * place of who is gone. It changes the ledger and fills the outbox; it sends and stores nothing.
 */
export class Negotiation {
  readonly election: Election;
  readonly nicknames: Nicknames;
  readonly conflicts = new Conflicts();
  readonly council: Council;
  /** What is asked for and given away. */
  readonly space: SpaceTrade;
  readonly #world: World;
  readonly #config: AllocatorConfig;
  readonly #peers: AllocatorPeers;
  readonly #ledger: Ledger;
  readonly #outbox: Outbox;
  readonly #electorate: Electorate;
  #ringChanged = false;
  #yielded: HeldAddress[] = [];
  #inherited: AddressRange[] = [];

  constructor(
    world: World,
    config: AllocatorConfig,
    peers: AllocatorPeers,
    ledger: Ledger,
    outbox: Outbox,
  ) {
    this.#world = world;
    this.#config = config;
    this.#peers = peers;
    this.#ledger = ledger;
    this.#outbox = outbox;
    const node = { name: config.self, uid: config.uid };
    this.election = new Election(node, config.init.kind !== "observer");
    this.#electorate = new Electorate(peers);
    this.nicknames = new Nicknames(config.self, config.nickname);
    this.council = new Council(
      world,
      { self: config.self, afterMs: config.reclaimAfterMs ?? 0, ...fenceOf(config) },
      peers,
      {
        owners: () => new Set(ledger.ring.entries.map(({ peer }) => peer)),
        owned: () => ledger.space.owned,
        ownedBy: (peers) => AddressSet.of([...peers].flatMap((peer) => ledger.ring.rangesOf(peer))),
      },
    );
    this.space = new SpaceTrade({
      ...{ world, peers, ledger, outbox, council: this.council, nicknames: this.nicknames },
      sendRing: (to) => this.#sendRing(to),
    });
  }

  /** What we have to say to everybody. */
  message(words: readonly Word[] = []): AllocatorMessage {
    const { ring, hasRing } = this.#ledger;
    return {
      nowSeconds: Math.floor(this.#world.now() / 1000),
      nicknames: this.nicknames.entries(),
      paxos: hasRing ? undefined : this.election.table(),
      ring: hasRing ? { ...ring.state(), peer: ring.self } : undefined,
      council: this.council.message(words),
    };
  }

  /** Whether owners or our lease changed, so that requests may find what they need. */
  takeRingChanged(): boolean {
    const changed = this.council.takeOpened() || this.#ringChanged;
    this.#ringChanged = false;
    return changed;
  }

  /** Starts the election unless there is a ring or one is awaited. */
  needRing(): void {
    if (this.#ledger.hasRing || this.election.awaiting) return;
    this.#electorate.called(this.#config.quorumPeers(), this.#world.monotonicMs());
    this.#follow(this.election.start(this.#quorum()));
  }

  #quorum(): number {
    const size = this.#electorate.size(this.election.voters(), this.#world.monotonicMs());
    return quorumOf(this.#config.init, size);
  }

  /** An election that is not over is called again. */
  tick(): void {
    this.space.tick();
    if (this.election.awaiting) this.#follow(this.election.tick(this.#quorum()));
    if (this.#ledger.hasRing) this.council.tick();
  }

  /** Held addresses that went with ranges that others took: to be claimed from their owners. */
  takeYielded(): HeldAddress[] {
    const yielded = this.#yielded;
    this.#yielded = [];
    return yielded;
  }

  /** Ranges of others whose place we took since the last call. */
  takeInherited(): AddressRange[] {
    const inherited = this.#inherited;
    this.#inherited = [];
    return inherited;
  }

  /** Does to the ring what the council decided. */
  carryOutDecided(): void {
    const decree = this.council.takeDecided();
    if (decree !== undefined) this.#carryOut(decree);
  }

  /** Lets the council talk; every word travels with our ring. */
  sayCouncilWords(): void {
    this.council.confirmGains();
    for (const [to, words] of this.council.takeWords()) this.#sendRing(to, words);
  }

  /** Makes the first ring. */
  makeRing(peers: readonly PeerName[]): void {
    this.#ledger.seed(peers);
    this.election.end();
    this.#ringChanged = true;
    this.#outbox.broadcast();
  }

  /**
   * A state message (ipam §9.4). `origin` is who it is from; `answerable` is false for periodic
   * gossip, which is never answered.
   *
   * @throws WeaveError for a ring that is refused
   */
  receive(origin: PeerName, state: AllocatorMessage, answerable: boolean): void {
    this.nicknames.merge(state.nicknames);
    if (state.council !== undefined) this.council.met(state.council);
    if (state.ring !== undefined) {
      this.#receiveRing(origin, state.ring, state.council);
    } else if (this.#ledger.hasRing) {
      if (answerable) this.#sendRing(origin);
    } else if (state.paxos !== undefined) {
      if (this.election.isElector) this.#follow(this.election.receive(state.paxos, this.#quorum()));
    } else if (!answerable) {
      this.#electorate.observes(origin);
    } else if (this.election.isElector) {
      this.needRing();
    }
  }

  /** Leaves for good: everything goes to an heir, if there is one and there is anything. */
  leave(): void {
    this.#handOver();
    this.council.leave();
  }

  #handOver(): void {
    const { ring } = this.#ledger;
    const heir = findHeir(ring, this.nicknames, this.#peers, (peer) =>
      this.council.mayGiveTo(peer),
    );
    // Ranges that may have been taken are no longer ours to hand over.
    if (!this.council.mayUse()) return;
    if (heir === undefined || !ring.hasEntryOf(ring.self)) return;
    this.#world.log.info(`[allocator] handing all ranges to ${this.nicknames.describe(heir)}`);
    this.#ledger.transfer(ring.self, heir);
    this.#outbox.broadcast();
  }

  /**
   * Takes the place of a peer that will not come back, or has the council decide who does. Returns
   * the ranges that it had, none for a peer that is unknown, ourselves, or without any.
   *
   * @throws WeaveError `IPAM_NICKNAME_AMBIGUOUS`, `IPAM_NOT_MEMBER`; `IPAM_PEER_ALIVE` unless forced
   */
  takeOver(nameOrNickname: string, options: { force: boolean }): readonly AddressRange[] {
    const { ring } = this.#ledger;
    const peer = findTakeover(nameOrNickname, ring, this.nicknames, this.#peers, {
      ...options,
      isMember: (each) => this.council.knows(each),
    });
    if (peer === undefined) return [];
    if (this.council.knows(peer)) return this.#removeMember(peer);
    this.#world.log.warn(`[allocator] taking over the ranges of ${this.nicknames.describe(peer)}`);
    const ranges = this.#ledger.transfer(peer, ring.self);
    this.#inherited.push(...ranges);
    this.#ringChanged = true;
    this.#outbox.broadcast();
    return ranges;
  }

  /** Whose ranges a member has is for all members to decide, even if an operator knows it is dead. */
  #removeMember(peer: PeerName): readonly AddressRange[] {
    const name = this.nicknames.describe(peer);
    if (!this.council.isBound) {
      throw new WeaveError(
        "IPAM_NOT_MEMBER",
        `${name} is a member of a council that we are not in`,
        {
          remedy: "run it on a host that 'weave report' has among IPAM.Reclaim.Members",
        },
      );
    }
    this.#world.log.warn(`[allocator] ${name} is declared dead: its ranges are to be taken`);
    this.council.declareDead(peer);
    return this.#ledger.ring.rangesOf(peer);
  }

  /**
   * `peer` left the topology: nobody disagrees any more, and what it is called matters only as long
   * as it owns something.
   */
  peerGone(peer: PeerName): void {
    this.conflicts.resolve(peer);
    this.#electorate.gone(peer);
    if (!this.#ledger.ring.hasEntryOf(peer)) this.nicknames.keepOnly((other) => other !== peer);
  }

  #sendRing(to: PeerName, words: readonly Word[] = []): void {
    this.#outbox.unicast(to, encodeUnicast({ kind: "ring-update", state: this.message(words) }));
  }

  /**
   * A ring counts together with the decree that its sender knows: older ones may speak of ranges
   * that were taken since, newer ones of ranges that were taken from us.
   */
  #receiveRing(origin: PeerName, ring: SentRing, council: CouncilMessage | undefined): void {
    if (council !== undefined && this.#ledger.hasRing) {
      const behind = this.council.decree.epoch - council.decree.epoch;
      if (behind > 0) {
        this.#sendRing(council.presence.peer);
        return;
      }
      if (behind < 0) this.#catchUp(ring, council.decree);
    } else if (council !== undefined && council.decree.epoch > this.council.decree.epoch) {
      this.council.adopt(council.decree);
    }
    this.#mergeRing(origin, ring);
    if (council === undefined || origin !== council.presence.peer) return;
    if (council.words.length === 0) return;
    const claimed = AddressSet.of(rangesOwned(ring.entries, origin, ring.universe));
    for (const word of council.words) this.council.hear(origin, word, council, claimed);
  }

  /** Others decided something without us. */
  #catchUp(ring: SentRing, decree: Decree): void {
    const { council } = this;
    const describe = (peer: PeerName): string => this.nicknames.describe(peer);
    if (decree.removalEpoch > council.decree.epoch) {
      const yieldsAll = wasTaken(council.decree, decree, this.#config.self);
      const yielded = this.#ledger.rebase(ring, council.confirmed, { yieldsAll, describe });
      this.#yielded.push(...yielded);
      council.follow(this.#ledger.space.owned);
      if (yieldsAll) {
        this.#world.log.warn(
          `[allocator] was gone for too long: the others took our ranges, with ${yielded.length} addresses in use here, which are claimed again`,
        );
      }
      this.#adopted();
    }
    council.adopt(decree);
  }

  #carryOut(decree: Decree): void {
    for (const peer of newlyTaken(this.council.decree, decree)) {
      if (!this.#ledger.ring.hasEntryOf(peer)) continue;
      const [from, to] = [this.nicknames.describe(peer), this.nicknames.describe(decree.heir)];
      this.#world.log.warn(`[allocator] the ranges of ${from}, gone for too long, go to ${to}`);
    }
    if (decree.moved.length > 0) {
      // Ours may be among them: also who is taken may be the one that brings the vote to its end.
      this.#yielded.push(...this.#ledger.assign(AddressSet.of(decree.moved), decree.heir));
      if (decree.heir === this.#config.self) this.#inherited.push(...decree.moved);
    }
    this.council.adopt(decree);
    this.#ringChanged = true;
    this.#outbox.broadcast();
  }

  #follow(step: ElectionStep): void {
    if (step.tell) this.#outbox.broadcast();
    if (step.decided !== undefined) this.makeRing(step.decided);
  }

  #mergeRing(origin: PeerName, ring: SentRing): void {
    const describe = (peer: PeerName): string => this.nicknames.describe(peer);
    const heldOutside = this.#ledger.heldOutside;
    try {
      if (this.#ledger.merge(ring, describe)) this.#adopted();
    } catch (error) {
      this.#disagree(origin, error);
      if (isConflict(error) && this.#ledger.mergeUndisputed(ring, describe)) this.#adopted();
      throw error;
    }
    if (this.conflicts.resolve(origin)) {
      this.#world.log.info(`[allocator] agrees with ${describe(origin)} again`);
    }
    const lost = this.#ledger.heldOutside - heldOutside;
    if (lost > 0) {
      this.#world.log.warn(
        `[allocator] ${lost} addresses in use here now belong to another peer, says ${describe(origin)}`,
      );
    }
  }

  #adopted(): void {
    this.election.end();
    const owners = new Set(this.#ledger.ring.entries.map(({ peer }) => peer));
    this.nicknames.keepOnly((peer) => owners.has(peer) || this.#peers.isKnown(peer));
    this.#ringChanged = true;
  }

  #disagree(origin: PeerName, error: unknown): void {
    if (!this.conflicts.note(origin, error, this.#world.now())) return;
    const remedy = error instanceof WeaveError ? error.remedy : undefined;
    this.#world.log.error(
      `[allocator] cannot agree with ${this.nicknames.describe(origin)}: ${String(error)}${remedy === undefined ? "" : `; ${remedy}`}`,
    );
  }
}

function fenceOf({ fence }: AllocatorConfig): Pick<AllocatorConfig, "fence"> {
  return fence === undefined ? {} : { fence };
}

/** Two peers claim the same range; everything else that a ring may be refused for is about all. */
function isConflict(error: unknown): boolean {
  return error instanceof WeaveError && error.code === "IPAM_RING_CONFLICT";
}
