import { Histogram, type HistogramReading } from "../../base/histogram.ts";
import type { World } from "../../base/world.ts";

/** Seconds. */
export const applyBoundsS = [0.001, 0.005, 0.025, 0.1, 0.25, 0.5, 1, 2.5, 5, 10] as const;

export type Applied = "change" | "replace";

/** How long it takes to put policies in place: what has changed, or all of them. */
export class ApplyTimes {
  readonly #world: Pick<World, "monotonicMs">;
  readonly #times = { change: new Histogram(applyBoundsS), replace: new Histogram(applyBoundsS) };

  constructor(world: Pick<World, "monotonicMs">) {
    this.#world = world;
  }

  /** Failures take time as well, but none that says anything: they are not in it. */
  measure(how: Applied, action: () => void): void {
    const startMs = this.#world.monotonicMs();
    action();
    this.#times[how].observe((this.#world.monotonicMs() - startMs) / 1000);
  }

  read(): Readonly<Record<Applied, HistogramReading>> {
    return { change: this.#times.change.read(), replace: this.#times.replace.read() };
  }
}
