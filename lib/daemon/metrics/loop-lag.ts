import { msToBeat } from "../../base/beat.ts";
import { Histogram, type HistogramReading } from "../../base/histogram.ts";
import type { Cancel, World } from "../../base/world.ts";

/** Seconds. What is below the first bound is as good as none. */
export const lagBoundsS = [0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5] as const;
const lookMs = 1_000;

/**
 * How late this thread is: whatever has to be done soon waits for what is being done, so that a timer
 * comes too late by as much. Looks on the beat, when others wake it as well.
 */
export class LoopLag {
  readonly #world: Pick<World, "after" | "monotonicMs">;
  readonly #lags = new Histogram(lagBoundsS);
  #cancel: Cancel = () => {};

  constructor(world: Pick<World, "after" | "monotonicMs">) {
    this.#world = world;
    this.#arm();
  }

  read(): HistogramReading {
    return this.#lags.read();
  }

  stop(): void {
    this.#cancel();
  }

  #arm(): void {
    const nowMs = this.#world.monotonicMs();
    const waitMs = msToBeat(nowMs, lookMs);
    const dueMs = nowMs + waitMs;
    this.#cancel = this.#world.after(waitMs, () => {
      this.#lags.observe(Math.max(0, this.#world.monotonicMs() - dueMs) / 1000);
      this.#arm();
    });
  }
}
