import type { PeerName } from "../base/peer-name.ts";
import type { AddressSet } from "./address-set.ts";

/** Both clocks of a machine, milliseconds. */
export interface Clocks {
  /** Never goes back, but may stand still while the machine sleeps. */
  readonly monotonicMs: number;
  /** Goes on while the machine sleeps, but may be set. */
  readonly wallMs: number;
}

/** The moment at which a request was sent that a majority has granted since. */
export type Lease = Clocks;

/**
 * Whether a peer may use its ranges. Injected, so that a simulation can show what happens without.
 */
export type Fence = (lease: Lease | undefined, now: Clocks, leaseMs: number) => boolean;

/**
 * A lease ends after `leaseMs` by whichever clock went further: the wall clock knows of a machine
 * that slept, the monotonic one of a wall clock that was set back.
 */
export const leaseHolds: Fence = (lease, now, leaseMs) =>
  lease !== undefined && elapsedMs(lease, now) < leaseMs;

function elapsedMs(since: Clocks, now: Clocks): number {
  return Math.max(now.monotonicMs - since.monotonicMs, now.wallMs - since.wallMs);
}

/** A third of the silence after which ranges are taken; docs/ipam.md says why a third. */
export function leaseMsOf(afterMs: number): number {
  return afterMs / 3;
}

/** How long a voter must know members and removals before it votes to take ranges. */
export function tenureMsOf(afterMs: number): number {
  return afterMs / 2;
}

/** How often a voter stores what counts for its votes: every hour if silence has to last two weeks. */
export function recordEachMsOf(afterMs: number): number {
  return Math.max(60_000, afterMs / 336);
}

/** A lease granted in an earlier run of this peer, of which only the wall clock tells. */
export function leaseOfEarlierRun(wallMs: number, now: Clocks): Lease | undefined {
  if (wallMs > now.wallMs) return undefined;
  return { wallMs, monotonicMs: now.monotonicMs - (now.wallMs - wallMs) };
}

interface LeaseRequest {
  readonly serial: number;
  readonly sentAt: Clocks;
  /** What the members learn from this request to be ours. */
  owned: AddressSet;
  readonly grants: Set<PeerName>;
}

/**
 * The lease of this peer on its ranges.
 *
 *   none ──request──▶ asked ──majority grants──▶ held ──a third of the silence──▶ none
 *                      ▲                          │
 *                      └───────── renewal ────────┘
 */
export class LeaseKeeper {
  #lease: Lease | undefined;
  #request: LeaseRequest | undefined;
  #confirmed: AddressSet;
  #serial: number;

  /** @param firstSerial differs from run to run, so that no late grant is taken for a new one */
  constructor(nothing: AddressSet, firstSerial: number) {
    this.#confirmed = nothing;
    this.#serial = firstSerial;
  }

  get lease(): Lease | undefined {
    return this.#lease;
  }

  /** What a majority knows to be ours. */
  get confirmed(): AddressSet {
    return this.#confirmed;
  }

  /** When the last request left that is still unanswered. */
  get askedMs(): number | undefined {
    return this.#request?.sentAt.monotonicMs;
  }

  leftMs(now: Clocks, leaseMs: number): number {
    return this.#lease === undefined ? 0 : Math.max(0, leaseMs - elapsedMs(this.#lease, now));
  }

  restore(lease: Lease | undefined, confirmed: AddressSet): void {
    this.#lease = lease;
    this.#confirmed = confirmed;
  }

  /** Begins a request; returns its number for the members. */
  ask(sentAt: Clocks, owned: AddressSet): number {
    this.#serial++;
    this.#request = { serial: this.#serial, sentAt, owned, grants: new Set() };
    return this.#serial;
  }

  /**
   * Ranges that we lost are ours no more, whatever the others knew: if they come back, they come
   * from somebody else, and nobody knows of it yet. Returns whether anything confirmed was lost.
   */
  follow(owned: AddressSet): boolean {
    const before = this.#confirmed;
    this.#confirmed = before.intersection(owned);
    if (this.#request !== undefined) {
      this.#request.owned = this.#request.owned.intersection(owned);
    }
    return !this.#confirmed.equals(before);
  }

  /** Whether this grant completed a majority of `needed`. */
  granted(by: PeerName, serial: number, needed: number): boolean {
    const request = this.#request;
    if (request?.serial !== serial) return false;
    request.grants.add(by);
    if (request.grants.size < needed) return false;
    this.#lease = request.sentAt;
    this.#confirmed = request.owned;
    this.#request = undefined;
    return true;
  }

  /** Grants of members of the old roster count no longer for a request that is under way. */
  forgetRequest(): void {
    this.#request = undefined;
  }
}
