import type { PeerName } from "../base/peer-name.ts";
import type { Decree, Member } from "./reclaim-decree.ts";
import { recordEachMsOf, tenureMsOf } from "./reclaim-lease.ts";

/** What a peer says of itself in every message. */
export interface Presence extends Member {
  /** Its `--reclaim-after`, milliseconds; 0 for off. */
  readonly afterMs: number;
}

/** What a voter has seen in earlier runs, in time that it was running. */
export interface StoredWitness {
  /** How long it has been a member and known of the last removal, milliseconds. */
  readonly tenureMs: number;
  /** Members of whom nothing was heard for a while. */
  readonly silences: readonly { readonly peer: PeerName; readonly silenceMs: number }[];
}

/**
 * What this peer has seen of others, by its own monotonic clock. The time that it was down does not
 * count, so what is stored now and then goes on from there:
 *
 *   heard ──silent for a while──▶ silence stored ──more of it──▶ stored anew
 *     ▲                                │
 *     └──── heard, and that is stored before anything is answered ────┘
 */
export class Witness {
  readonly #presences = new Map<PeerName, Presence & { readonly epoch: number }>();
  readonly #heardMs = new Map<PeerName, number>();
  /** Peers that are there and say nothing of themselves, since when. */
  readonly #strangers = new Map<PeerName, number>();
  readonly #startMs: number;
  /** Members with a silence that is stored, or may be. */
  readonly #stored = new Set<PeerName>();
  #storedMs: number;
  #memberSinceMs: number;
  #removalSinceMs: number;

  constructor(startMs: number) {
    this.#startMs = startMs;
    this.#storedMs = startMs;
    this.#memberSinceMs = startMs;
    this.#removalSinceMs = startMs;
  }

  /** Goes on from what an earlier run has stored. */
  restore({ tenureMs, silences }: StoredWitness, nowMs: number): void {
    this.#memberSinceMs = nowMs - tenureMs;
    this.#removalSinceMs = nowMs - tenureMs;
    for (const { peer, silenceMs } of silences) {
      this.#heardMs.set(peer, nowMs - silenceMs);
      this.#stored.add(peer);
    }
  }

  /** What is to be stored with the next change: silences that last for a while already. */
  record(decree: Decree, self: PeerName, nowMs: number): StoredWitness {
    this.#storedMs = nowMs;
    const silences = this.#silences(decree, self, nowMs);
    for (const { peer } of silences) this.#stored.add(peer);
    return { tenureMs: Math.floor(this.tenureMs(nowMs)), silences };
  }

  /** `record` is stored, and nothing else any more. */
  recorded({ silences }: StoredWitness): void {
    this.#stored.clear();
    for (const { peer } of silences) this.#stored.add(peer);
  }

  /** Whether a restart would lose more than a little of what counts. */
  isRecordDue(decree: Decree, self: PeerName, nowMs: number): boolean {
    const eachMs = recordEachMsOf(decree.afterMs);
    if (nowMs - this.#storedMs < eachMs) return false;
    const isTenureGrowing = this.tenureMs(nowMs) < tenureMsOf(decree.afterMs) + eachMs;
    return isTenureGrowing || this.#silences(decree, self, nowMs).length > 0;
  }

  #silences({ roster, afterMs }: Decree, self: PeerName, nowMs: number) {
    return roster
      .filter(({ peer }) => peer !== self)
      .map(({ peer }) => ({ peer, silenceMs: Math.floor(this.silenceMs(peer, nowMs)) }))
      .filter(({ silenceMs }) => silenceMs >= recordEachMsOf(afterMs));
  }

  /** The last word of `peer` about itself, with the epoch it knew then. */
  presence(peer: PeerName): (Presence & { readonly epoch: number }) | undefined {
    return this.#presences.get(peer);
  }

  presences(): Iterable<Presence & { readonly epoch: number }> {
    return this.#presences.values();
  }

  /** Whether this ends a silence that is stored: then that is to be stored as well. */
  met(presence: Presence, epoch: number, nowMs: number): boolean {
    this.#presences.set(presence.peer, { ...presence, epoch });
    this.#heardMs.set(presence.peer, nowMs);
    return this.#stored.has(presence.peer);
  }

  /** Notes who is there; whoever is of our kind says so within seconds. */
  saw(known: Iterable<PeerName>, self: PeerName, nowMs: number): void {
    const strangers = [...known].filter(
      (peer) => peer !== self && !this.#presences.get(peer)?.afterMs,
    );
    for (const peer of this.#strangers.keys()) {
      if (!strangers.includes(peer)) this.#strangers.delete(peer);
    }
    for (const peer of strangers) {
      if (!this.#strangers.has(peer)) this.#strangers.set(peer, nowMs);
    }
  }

  /** Whether somebody has been there for so long that is not of our kind. */
  hasStranger(forMs: number, nowMs: number): boolean {
    return [...this.#strangers.values()].some((sinceMs) => nowMs - sinceMs >= forMs);
  }

  /** How long nothing of `peer` was heard while we were there to hear it. */
  silenceMs(peer: PeerName, nowMs: number): number {
    return nowMs - (this.#heardMs.get(peer) ?? this.#startMs);
  }

  /** How long we have been a member and known of the last removal, as far as we were running. */
  tenureMs(nowMs: number): number {
    return nowMs - Math.max(this.#memberSinceMs, this.#removalSinceMs);
  }

  /** A new decree is known from now on. */
  learned(before: Decree, after: Decree, self: PeerName, nowMs: number): void {
    const wasMember = before.roster.some(({ peer }) => peer === self);
    if (!wasMember) this.#memberSinceMs = nowMs;
    if (after.removalEpoch !== before.removalEpoch) this.#removalSinceMs = nowMs;
    for (const { peer } of after.roster) {
      const isNew = !before.roster.some((member) => member.peer === peer);
      if (isNew) this.#heardMs.set(peer, nowMs);
    }
  }

  /** Forgets peers that `isWorthKeeping` does not name, so that the maps stay bounded. */
  prune(isWorthKeeping: (peer: PeerName) => boolean): void {
    for (const map of [this.#presences, this.#heardMs]) {
      for (const peer of map.keys()) if (!isWorthKeeping(peer)) map.delete(peer);
    }
  }
}
