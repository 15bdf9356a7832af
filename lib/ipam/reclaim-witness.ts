import type { PeerName } from "../base/peer-name.ts";
import type { Decree, Member } from "./reclaim-decree.ts";

/** What a peer says of itself in every message. */
export interface Presence extends Member {
  /** Its `--reclaim-after`, milliseconds; 0 for off. */
  readonly afterMs: number;
}

/**
 * What this run has seen of others, by its own monotonic clock. Nothing of it is stored: a peer that
 * starts again knows of no silence that began before.
 */
export class Witness {
  readonly #presences = new Map<PeerName, Presence & { readonly epoch: number }>();
  readonly #heardMs = new Map<PeerName, number>();
  /** Peers that are there and say nothing of themselves, since when. */
  readonly #strangers = new Map<PeerName, number>();
  readonly #startMs: number;
  #memberSinceMs: number;
  #removalSinceMs: number;

  constructor(startMs: number) {
    this.#startMs = startMs;
    this.#memberSinceMs = startMs;
    this.#removalSinceMs = startMs;
  }

  /** The last word of `peer` about itself, with the epoch it knew then. */
  presence(peer: PeerName): (Presence & { readonly epoch: number }) | undefined {
    return this.#presences.get(peer);
  }

  presences(): Iterable<Presence & { readonly epoch: number }> {
    return this.#presences.values();
  }

  met(presence: Presence, epoch: number, nowMs: number): void {
    this.#presences.set(presence.peer, { ...presence, epoch });
    this.#heardMs.set(presence.peer, nowMs);
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

  /** How long nothing of `peer` was heard, at most since this run knows of the council. */
  silenceMs(peer: PeerName, nowMs: number): number {
    return nowMs - Math.max(this.#heardMs.get(peer) ?? this.#startMs, this.#startMs);
  }

  /** How long we have been a member and known of the last removal. */
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
