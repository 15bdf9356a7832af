import type { BlockedPacket } from "../../policy/enforcer.ts";

/** After so long without another one a block is no news any more. */
export const recentMs = 10 * 60_000;

/** Whoever has been silent for longest makes room. */
export const recentMax = 64;

/** What one policy has blocked in one direction of late. */
export interface RecentBlock {
  readonly last: BlockedPacket;
  /** Since the first of them that no pause of {@link recentMs} parts from the last. */
  readonly count: number;
  /** Monotonic, in ms. */
  readonly atMs: number;
}

/** The last packet that each policy blocked: for whoever asks why something does not answer. */
export class RecentBlocks {
  /** The longest silent first. */
  readonly #blocks = new Map<string, RecentBlock>();

  note(last: BlockedPacket, atMs: number): void {
    const key = `${last.direction} ${last.origin ?? ""}`;
    const before = this.#blocks.get(key);
    const goesOn = before !== undefined && atMs - before.atMs < recentMs;
    this.#blocks.delete(key);
    this.#blocks.set(key, { last, count: goesOn ? before.count + 1 : 1, atMs });
    if (this.#blocks.size <= recentMax) return;
    this.#blocks.delete(this.#blocks.keys().next().value!);
  }

  /** Those that are still news, the latest first. */
  lately(nowMs: number): RecentBlock[] {
    return [...this.#blocks.values()].filter(({ atMs }) => nowMs - atMs < recentMs).reverse();
  }
}
