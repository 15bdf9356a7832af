import { WeaveError } from "../../base/errors.ts";
import type { Channel, GossipData, Gossiper } from "../../base/gossip.ts";
import { formatPeerName, type PeerName } from "../../base/peer-name.ts";
import { type Cancel, every, type World } from "../../base/world.ts";
import { decodeRecords } from "./record-codec.ts";
import { RecordComparison } from "./record-comparison.ts";
import { RecordKeeper } from "./record-keeper.ts";
import { RecordNews } from "./record-news.ts";
import { type RecordStore, RecordTable } from "./record-table.ts";
import { type OwnKind, ownerOf, type RecordName, type SharedRecord } from "./shared-record.ts";
import { HybridClock } from "./stamp.ts";

/** On which peers of our kind tell each other of policies; whoever has no part in it passes it on. */
export const policyChannel = "weave-policy";

/** How far the clock of whoever says something may be ahead of ours. */
export const aheadMaxMs = 24 * 3_600_000;

/** How long a removed document is remembered, so that nobody who was away brings it back. */
export const documentTombstoneMs = 90 * 24 * 3_600_000;

/** The same for a pod, which its own peer would remove again. */
export const podTombstoneMs = 3_600_000;

/** Pods of a peer that nothing leads to any more are forgotten after this time. */
export const absenceMaxMs = 3_600_000;

const sweepPeriodMs = 60_000;

export interface SharedPolicyOptions {
  readonly self: PeerName;
  readonly store: RecordStore;
  /** Whether the mesh knows this peer; of `self` it is not asked. */
  isKnownPeer(peer: PeerName): boolean;
}

/** What a peer says of its own host: contents by name. */
export type OwnRecords = Readonly<Record<OwnKind, ReadonlyMap<string, string>>>;

/** Told after what is known has changed, by what was said; or of what is forgotten. */
export type RecordObserver = (changed: readonly SharedRecord[]) => void;

/**
 * This peer's copy of everything that peers tell each other of policy: documents, and the pods of
 * each host. Of two that say something of the same name the later one holds, at every peer, in
 * whatever order they hear of it.
 *
 *   put, remove ─┐                      ┌─▶ store
 *   gossip ──────┴─▶ RecordTable ───────┼─▶ observer
 *                                       └─▶ other peers
 *
 * Nothing at all is said while nothing is known: a cluster without policies does not hear of them.
 */
export class SharedPolicy implements Gossiper {
  readonly comparison: RecordComparison;
  readonly #world: Pick<World, "now" | "after" | "monotonicMs" | "log">;
  readonly #options: SharedPolicyOptions;
  readonly #self: string;
  readonly #table = new RecordTable();
  readonly #keeper: RecordKeeper;
  readonly #clock: HybridClock;
  readonly #stopSweep: Cancel;
  /** Since when nothing leads to a peer that has pods; monotonic. */
  readonly #absentSince = new Map<PeerName, number>();
  /** What was said last of this host. */
  #own: OwnRecords | undefined;
  #channel: Channel | undefined;
  #observer: RecordObserver = () => {};

  /** Begins with what is stored. */
  constructor(
    world: Pick<World, "now" | "after" | "monotonicMs" | "log">,
    options: SharedPolicyOptions,
  ) {
    this.#world = world;
    this.#options = options;
    this.#self = formatPeerName(options.self);
    this.#keeper = new RecordKeeper(options.store, world.log);
    this.#clock = new HybridClock(options.self, () => world.now());
    this.comparison = new RecordComparison(this.#table, (record) => this.#isTold(record));
    for (const record of options.store.all()) {
      this.#clock.saw(record.stamp);
      this.#table.take(record);
    }
    this.#stopSweep = every(world, sweepPeriodMs, () => this.#sweep());
  }

  /** Until a channel is set other peers hear of changes on connecting. */
  setChannel(channel: Channel): void {
    this.#channel = channel;
  }

  observe(observer: RecordObserver): void {
    this.#observer = observer;
  }

  /** Stops the sweep. What is known stays readable. */
  stop(): void {
    this.#stopSweep();
  }

  /** Everything that is not removed, of one kind or of all. */
  records(kind?: string): Array<SharedRecord & { readonly content: string }> {
    return [...this.#table.all()].flatMap((record) =>
      record.content !== undefined && (kind === undefined || record.kind === kind)
        ? { ...record, content: record.content }
        : [],
    );
  }

  /** `undefined` for what is not known, or removed. */
  content(name: RecordName): string | undefined {
    return this.#table.get(name)?.content;
  }

  /**
   * Says what these are from now on, `undefined` for what is to be removed; what says nothing new is
   * left out. All are stored and told of together.
   *
   * @returns those that changed
   * @throws WeaveError `POLICY_TABLE_FULL`, with nothing changed but what came before; the error of the
   * store, with all changed and told of, but not kept
   */
  say(sayings: ReadonlyArray<RecordName & { readonly content: string | undefined }>): RecordName[] {
    const said = this.#say(sayings);
    if (said.length > 0 && this.#keeper.error !== undefined) throw this.#keeper.error;
    return said;
  }

  #say(
    sayings: ReadonlyArray<RecordName & { readonly content: string | undefined }>,
  ): RecordName[] {
    const said: SharedRecord[] = [];
    for (const { kind, scope, name, content } of sayings) {
      if (this.#table.get({ kind, scope, name })?.content === content) continue;
      const record = { kind, scope, name, content, stamp: this.#clock.next() };
      if (this.#table.take(record) === "full") {
        this.#changed(said);
        throw tableFull();
      }
      said.push(record);
    }
    this.#changed(said);
    if (said.length > 0) this.#channel?.broadcast(new RecordNews(this.#table, said));
    return said;
  }

  /** Says that this is all of these kinds that there is here, by name. @throws WeaveError `POLICY_TABLE_FULL` */
  sayOwn(own: OwnRecords): void {
    this.#own = own;
    const scope = this.#self;
    const kinds = Object.keys(own) as OwnKind[];
    this.#say(
      kinds.flatMap((kind) => {
        const gone = this.records(kind).filter(
          (record) => record.scope === scope && !own[kind].has(record.name),
        );
        return [
          ...gone.map(({ name }) => ({ kind, scope, name, content: undefined })),
          ...[...own[kind]].map(([name, content]) => ({ kind, scope, name, content })),
        ];
      }),
    );
  }

  /** Nothing leads to the peer any more. */
  peerGone(peer: PeerName): void {
    this.#absentSince.set(peer, this.#world.monotonicMs());
    this.#table.touch();
  }

  peerAppeared(peer: PeerName): void {
    this.#absentSince.delete(peer);
    this.#table.touch();
  }

  /** The channel has no unicasts; whatever comes is ignored. */
  onUnicast(): void {}

  onBroadcast(_origin: PeerName, payload: Uint8Array): GossipData | undefined {
    const { mentioned } = this.#merge(payload);
    return this.#news(mentioned);
  }

  onGossip(_from: PeerName, payload: Uint8Array): GossipData | undefined {
    const { fresh } = this.#merge(payload);
    return this.#news(fresh);
  }

  full(): GossipData | undefined {
    return this.#news([...this.#table.all()].filter((record) => this.#isTold(record)));
  }

  #news(names: readonly RecordName[]): GossipData | undefined {
    return names.length === 0 ? undefined : new RecordNews(this.#table, names);
  }

  /** @throws GobError, WeaveError `POLICY_CLOCK_SKEW` */
  #merge(payload: Uint8Array): { mentioned: SharedRecord[]; fresh: SharedRecord[] } {
    const { records, refused } = decodeRecords(payload);
    this.#refuseAhead(records);
    const mentioned: SharedRecord[] = [];
    const fresh: SharedRecord[] = [];
    let full = 0;
    for (const record of records) {
      const taken = this.#table.take(record);
      if (taken === "full") full++;
      else mentioned.push(record);
      if (taken === "new") {
        this.#clock.saw(record.stamp);
        fresh.push(record);
      }
    }
    if (refused + full > 0) {
      this.#world.log.warn(
        `policy: left out of a message: ${refused} implausible, ${full} too many`,
      );
    }
    this.#changed(fresh);
    // What others still know of an earlier life of ours, perhaps by a clock that was ahead.
    const isAboutUs = fresh.some((record) => ownerOf(record) === this.#options.self);
    if (isAboutUs && this.#own !== undefined) this.sayOwn(this.#own);
    return { mentioned, fresh };
  }

  #refuseAhead(records: readonly SharedRecord[]): void {
    const latestMs = records.reduce((most, { stamp }) => Math.max(most, stamp.wallMs), 0);
    const aheadMs = latestMs - this.#world.now();
    if (aheadMs <= aheadMaxMs) return;
    const hours = Math.floor(aheadMs / 3_600_000);
    throw new WeaveError("POLICY_CLOCK_SKEW", `policies that are ${hours} h ahead of our clock`, {
      remedy: "synchronise the clocks of both hosts; until then policies are not exchanged",
    });
  }

  #changed(records: readonly SharedRecord[]): void {
    if (records.length === 0) return;
    this.#keeper.save(records);
    this.#observer(records);
  }

  /** Pods of peers that are gone are not passed on: they would never be forgotten everywhere. */
  #isTold(record: SharedRecord): boolean {
    const owner = ownerOf(record);
    return owner === undefined || this.#isPresent(owner);
  }

  #isPresent(owner: PeerName): boolean {
    return owner === this.#options.self || this.#options.isKnownPeer(owner);
  }

  #sweep(): void {
    const nowMs = this.#world.monotonicMs();
    const gone: SharedRecord[] = [];
    for (const record of this.#table.all()) {
      const owner = ownerOf(record);
      const lifetimeMs = owner === undefined ? documentTombstoneMs : podTombstoneMs;
      const isDead = record.content === undefined;
      if (isDead && this.#world.now() - record.stamp.wallMs > lifetimeMs) gone.push(record);
      else if (owner !== undefined && this.#isAbsentTooLong(owner, nowMs)) gone.push(record);
    }
    if (gone.length === 0) return;
    for (const record of gone) this.#table.erase(record);
    this.#keeper.erase(gone);
    this.#observer(gone);
  }

  #isAbsentTooLong(owner: PeerName, nowMs: number): boolean {
    if (this.#isPresent(owner)) return false;
    // Since it was stored, for peers that have not been heard of since then.
    const since = this.#absentSince.get(owner) ?? nowMs;
    this.#absentSince.set(owner, since);
    return nowMs - since > absenceMaxMs;
  }
}

/** Keeps nothing over the end of a process. */
export const forgetfulStore: RecordStore = { all: () => [], save() {}, erase() {} };

function tableFull(): WeaveError {
  return new WeaveError("POLICY_TABLE_FULL", "there is no room for further policies", {
    remedy: "remove some with 'weave policy delete'",
  });
}
