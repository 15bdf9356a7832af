import type { PeerName } from "../../base/peer-name.ts";

/**
 * When something was said, in an order that all peers agree on (hybrid logical clock, Kulkarni et
 * al. 2014): by the wall clock of whoever said it, but always after everything that it had seen.
 *
 *   wallMs ▸ count ▸ peer      compared from left to right
 */
export interface Stamp {
  /** Milliseconds since the Unix epoch; ahead of the clock after stamps of others that were. */
  readonly wallMs: number;
  /** Tells apart what falls into one millisecond. */
  readonly count: number;
  readonly peer: PeerName;
}

/** Counts above this are refused: no peer says so much in one millisecond. */
export const countMax = 2 ** 32;

/** Negative when `a` was before `b`, 0 for the same. */
export function compareStamps(a: Stamp, b: Stamp): number {
  return a.wallMs - b.wallMs || a.count - b.count || a.peer - b.peer;
}

/** Makes the stamps of one peer. */
export class HybridClock {
  readonly #peer: PeerName;
  readonly #now: () => number;
  #wallMs = 0;
  #count = 0;

  /** @param now milliseconds since the Unix epoch */
  constructor(peer: PeerName, now: () => number) {
    this.#peer = peer;
    this.#now = now;
  }

  /** Later stamps are after this one. */
  saw({ wallMs, count }: Pick<Stamp, "wallMs" | "count">): void {
    if (wallMs < this.#wallMs) return;
    this.#count = wallMs > this.#wallMs ? count : Math.max(count, this.#count);
    this.#wallMs = wallMs;
  }

  next(): Stamp {
    const wallMs = Math.max(this.#wallMs, Math.floor(this.#now()));
    const isSame = wallMs === this.#wallMs;
    // What counts over goes into the next millisecond.
    if (isSame && this.#count >= countMax - 1) this.saw({ wallMs: wallMs + 1, count: 0 });
    else this.saw({ wallMs, count: isSame ? this.#count + 1 : 0 });
    return { wallMs: this.#wallMs, count: this.#count, peer: this.#peer };
  }
}
