import type { World } from "../base/world.ts";

/**
 * Times that are remembered: one message in so many that was not held up is enough, and a clock that
 * was set back is believed after so many.
 */
export const shownTimesMax = 8;

/**
 * How far the clock of a neighbour is from ours, as the times show that its messages carry.
 *
 *   theirs ── says 12:00:00 ───────────╮ delay
 *   ours   ────────────────────────────┴─▶ 12:00:03: theirs is 3 s behind, less the delay
 *
 * Delay only makes a clock look behind, so that of the last times the one furthest ahead is nearest to
 * the truth. Times are kept against the monotonic clock: when ours is set, all are right at once.
 */
export class NeighbourClock {
  readonly #world: Pick<World, "now" | "monotonicMs">;
  /** Wall clock of the neighbour less our monotonic one, the latest last. */
  #shown: number[] = [];

  constructor(world: Pick<World, "now" | "monotonicMs">) {
    this.#world = world;
  }

  /**
   * A message that has just come says what time it was when it was made.
   *
   * @param unixMs milliseconds since 1970; 0 and whatever is no time says nothing
   */
  shows(unixMs: number): void {
    if (!Number.isSafeInteger(unixMs) || unixMs <= 0) return;
    this.#shown.push(unixMs - this.#world.monotonicMs());
    if (this.#shown.length > shownTimesMax) this.#shown.shift();
  }

  /** Milliseconds that it is ahead of ours, negative when it is behind; `undefined` before it was shown. */
  get offsetMs(): number | undefined {
    if (this.#shown.length === 0) return undefined;
    return Math.round(Math.max(...this.#shown) - (this.#world.now() - this.#world.monotonicMs()));
  }
}
