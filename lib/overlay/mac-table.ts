import type { PeerName } from "../base/peer-name.ts";
import { isGroupMac, type Mac } from "../wire/ethernet.ts";

/**
 * Which peer a MAC address lives at (sleeve §12.1).
 *
 *                    captured here                received from peer P
 *   unknown          → local                      → P
 *   local            refreshed                    → P, at once (it has moved away)
 *   at peer P        quiet there → local          refreshed
 *                    else discard: a loop
 *   at peer Q        as above                     → P, at once
 *
 * A frame captured here is strong evidence that its sender is here, so a container that moves in
 * with its address is believed as soon as its former peer has been silent for
 * {@link macHoldDownMs}. Without that pause a frame that returns to us through a bridging loop
 * would steal the address from the peer that just sent it.
 *
 * Group addresses are never learned: a single frame that claims to come from ff:ff:ff:ff:ff:ff would
 * keep every broadcast from reaching anybody.
 */
export const macAgeMaxMs = 10 * 60_000;
export const macSweepMs = 60_000;
export const macHoldDownMs = 1_000;

/** Beyond this many addresses new ones are not learned; their frames are flooded. */
export const macTableMax = 65_536;

export interface MacEntry<Owner = PeerName> {
  readonly mac: Mac;
  readonly peer: Owner;
  /** When a frame from it was last seen, in monotonic milliseconds. */
  readonly lastSeenMs: number;
}

export interface MacTableOptions<Owner = PeerName> {
  readonly local: Owner;
  /** An address that was not known is. */
  readonly learned?: (mac: Mac) => void;
  /** An address is now at `to`: whatever was built on its being at `from` is stale. */
  readonly moved?: (mac: Mac, from: Owner, to: Owner) => void;
  readonly entriesMax?: number;
}

interface Entry<Owner> {
  readonly mac: Mac;
  peer: Owner;
  lastSeenMs: number;
}

/** `Owner`: what stands for a peer. */
export class MacTable<Owner = PeerName> {
  readonly #local: Owner;
  readonly #learned: (mac: Mac) => void;
  readonly #moved: (mac: Mac, from: Owner, to: Owner) => void;
  readonly #entriesMax: number;
  readonly #entries = new Map<Mac, Entry<Owner>>();
  #resident: ReadonlySet<Mac> = new Set();
  #sweepAtMs = 0;
  /** Addresses not learned because the table was full. */
  refused = 0;

  constructor(options: MacTableOptions<Owner>) {
    this.#local = options.local;
    this.#learned = options.learned ?? (() => {});
    this.#moved = options.moved ?? (() => {});
    this.#entriesMax = options.entriesMax ?? macTableMax;
  }

  get size(): number {
    return this.#entries.size;
  }

  /** The peer of `mac`; `undefined` when it is not known. */
  lookup(mac: Mac): Owner | undefined {
    return this.#entries.get(mac)?.peer;
  }

  /** Learns from a frame captured here. False: the address lives elsewhere, discard the frame. */
  learnCaptured(mac: Mac, nowMs: number): boolean {
    if (isGroupMac(mac)) return true;
    const entry = this.#entries.get(mac);
    if (entry !== undefined && entry.peer !== this.#local) {
      if (nowMs - entry.lastSeenMs < macHoldDownMs) return false;
    }
    this.#bind(entry, mac, this.#local, nowMs);
    return true;
  }

  /** Learns from a frame that `peer` sent to us. */
  learnReceived(mac: Mac, peer: Owner, nowMs: number): void {
    if (!isGroupMac(mac)) this.#bind(this.#entries.get(mac), mac, peer, nowMs);
  }

  #bind(entry: Entry<Owner> | undefined, mac: Mac, peer: Owner, nowMs: number): void {
    if (entry === undefined) {
      if (this.#entries.size >= this.#entriesMax) {
        this.refused++;
      } else {
        this.#learn(mac, peer, nowMs);
      }
      return;
    }
    entry.lastSeenMs = nowMs;
    if (entry.peer === peer) return;
    const from = entry.peer;
    entry.peer = peer;
    this.#moved(mac, from, peer);
  }

  #learn(mac: Mac, peer: Owner, nowMs: number): void {
    this.#entries.set(mac, { mac, peer, lastSeenMs: nowMs });
    this.#learned(mac);
  }

  /**
   * The addresses of our own containers, from those who attach them: here at once, wherever they
   * were before. They do not age: a silent receiver would otherwise be forgotten, and every frame
   * for it flooded through the cluster.
   */
  setResidents(macs: Iterable<Mac>, nowMs: number): void {
    const before = this.#resident;
    this.#resident = new Set(macs);
    for (const mac of this.#resident) {
      const entry = this.#entries.get(mac);
      // For them there is always room: whoever invents addresses has no say in who is here.
      if (entry === undefined) this.#learn(mac, this.#local, nowMs);
      else if (!before.has(mac)) this.#bind(entry, mac, this.#local, nowMs);
    }
  }

  /** Forgets every address of a peer that left the topology. */
  forgetPeer(peer: Owner): void {
    for (const entry of this.#entries.values()) {
      if (entry.peer === peer) this.#entries.delete(entry.mac);
    }
  }

  /** When {@link sweep} has something to do next, in monotonic milliseconds. */
  get sweepAtMs(): number {
    return this.#sweepAtMs;
  }

  /** Drops what was last seen more than {@link macAgeMaxMs} ago; does nothing before its time. */
  sweep(nowMs: number): void {
    if (nowMs < this.#sweepAtMs) return;
    this.#sweepAtMs = nowMs + macSweepMs;
    for (const entry of this.#entries.values()) {
      const resident = entry.peer === this.#local && this.#resident.has(entry.mac);
      if (!resident && nowMs - entry.lastSeenMs > macAgeMaxMs) this.#entries.delete(entry.mac);
    }
  }

  /** A copy of every entry, by address. */
  list(): MacEntry<Owner>[] {
    return [...this.#entries.values()]
      .map(({ mac, peer, lastSeenMs }) => ({ mac, peer, lastSeenMs }))
      .sort((a, b) => a.mac - b.mac);
  }
}
