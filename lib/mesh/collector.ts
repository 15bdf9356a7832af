import type { PeerName } from "../base/peer-name.ts";
import type { Cancel, World } from "../base/world.ts";
import type { PeerRecord } from "./peer-record.ts";
import type { Peers } from "./peers.ts";
import { silenceMaxMs } from "./transport.ts";

/** After an update others usually follow. */
export const collectionDelayMs = 1_000;

/**
 * For how long a peer stays that nothing leads to any more. Losing a link is not losing a peer: it
 * usually dials again after 1–3 s, and what was built on it (names, flows) need not fall and rise
 * in between. Nothing is routed to it meanwhile, and after this time it goes as it always did.
 * For a peer whose machine fell silent the grace began with the silence.
 */
export const collectionGraceMs = 4_000;

/**
 * Removes peers that nothing leads to (mesh-protocol §8.5).
 *
 *   reachable ──▶ unreachable since … ──grace over──▶ removed
 *       ▲────────────────┘ a link is back
 */
export class Collector {
  readonly #world: World;
  readonly #peers: Peers;
  readonly #removed: (records: readonly PeerRecord[]) => void;
  /** Monotonic time at which each was first found unreachable. */
  readonly #since = new Map<PeerName, number>();
  /** Neighbours that we lost because their machine fell silent: when they were last heard. */
  readonly #lastHeardMs = new Map<PeerName, number>();
  #next: { readonly atMs: number; readonly cancel: Cancel } | undefined;

  /** `removed` is called once for each round that removed somebody. */
  constructor(world: World, peers: Peers, removed: (records: readonly PeerRecord[]) => void) {
    this.#world = world;
    this.#peers = peers;
    this.#removed = removed;
  }

  /**
   * A connection of ours is gone: whoever was behind it begins to count. `silentMs`: for how long
   * nothing had been heard of the machine at its other end.
   */
  linkLost(remote: PeerName, silentMs: number): void {
    if (silentMs > 0) this.#lastHeardMs.set(remote, this.#world.monotonicMs() - silentMs);
    this.#collect();
  }

  /** We hear it again. */
  linkAdded(remote: PeerName): void {
    this.#lastHeardMs.delete(remote);
  }

  /** The claims of others changed. */
  updated(): void {
    this.#schedule(collectionDelayMs);
  }

  stop(): void {
    this.#next?.cancel();
    this.#next = undefined;
  }

  #schedule(delayMs: number): void {
    const atMs = this.#world.monotonicMs() + delayMs;
    if (this.#next !== undefined && this.#next.atMs <= atMs) return;
    this.#next?.cancel();
    const cancel = this.#world.after(delayMs, () => {
      this.#next = undefined;
      this.#collect();
    });
    this.#next = { atMs, cancel };
  }

  #collect(): void {
    const nowMs = this.#world.monotonicMs();
    const unreachable = new Set(this.#peers.unreachable());
    for (const name of this.#since.keys()) if (!unreachable.has(name)) this.#since.delete(name);
    this.#forgetSilences(nowMs);
    const removed: PeerRecord[] = [];
    let restMs = Number.POSITIVE_INFINITY;
    for (const name of unreachable) {
      const sinceMs = this.#since.get(name) ?? this.#lastHeardMs.get(name) ?? nowMs;
      this.#since.set(name, sinceMs);
      const leftMs = sinceMs + collectionGraceMs - nowMs;
      if (leftMs > 0) restMs = Math.min(restMs, leftMs);
      else removed.push(this.#remove(name));
    }
    if (restMs < Number.POSITIVE_INFINITY) this.#schedule(restMs);
    if (removed.length > 0) this.#removed(removed);
  }

  /** A peer that was found by another way meanwhile has been heard since. */
  #forgetSilences(nowMs: number): void {
    for (const [name, lastMs] of this.#lastHeardMs) {
      const isOld = nowMs - lastMs > silenceMaxMs + collectionGraceMs;
      if (isOld && !this.#since.has(name)) this.#lastHeardMs.delete(name);
    }
  }

  #remove(name: PeerName): PeerRecord {
    const record = this.#peers.get(name)!;
    this.#since.delete(name);
    this.#lastHeardMs.delete(name);
    this.#peers.remove(name);
    return record;
  }
}
