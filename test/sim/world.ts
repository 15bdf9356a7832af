import { type Random, seededRandom } from "../../lib/base/random.ts";
import type { Cancel, Log, World } from "../../lib/base/world.ts";
import { VirtualClock } from "./virtual-clock.ts";

/** Wall clock at the beginning of every simulation: 2022-11-23 10:40:00 UTC. */
export const simulationEpochMs = 1_669_200_000_000;

const linesMax = 10_000;

/** The machine of one simulated peer: a shared clock, its own randomness, a log to read. */
export class SimWorld implements World {
  readonly random: Random;
  readonly log: Log;
  /** `level text`, oldest first; at most {@link linesMax}, the latest. */
  readonly lines: string[] = [];
  readonly #clock: VirtualClock;
  readonly #timers = new Set<object>();

  constructor(clock: VirtualClock, seed: number) {
    this.#clock = clock;
    this.random = seededRandom(seed);
    const write = (level: string) => (line: string) => {
      this.lines.push(`${level} ${line}`);
      if (this.lines.length > linesMax) this.lines.shift();
    };
    this.log = {
      debug: write("debug"),
      info: write("info"),
      warn: write("warn"),
      error: write("error"),
    };
  }

  now(): number {
    return simulationEpochMs + this.#clock.nowMs;
  }

  monotonicMs(): number {
    return this.#clock.nowMs;
  }

  after(delayMs: number, action: () => void): Cancel {
    const timer = {};
    this.#timers.add(timer);
    const cancel = this.#clock.after(delayMs, () => {
      this.#timers.delete(timer);
      action();
    });
    return () => {
      this.#timers.delete(timer);
      cancel();
    };
  }

  /** Timers that this peer has running: none after it stopped. */
  get timers(): number {
    return this.#timers.size;
  }
}

/** A world on its own clock, for tests of one object. */
export function loneWorld(seed = 1): { world: SimWorld; clock: VirtualClock } {
  const clock = new VirtualClock();
  return { world: new SimWorld(clock, seed), clock };
}

/** Runs `body` and, when it fails, says which seed it failed with. */
export function withSeed<T>(seed: number, body: (seed: number) => T): T {
  try {
    return body(seed);
  } catch (cause) {
    throw new Error(`simulation failed with seed ${seed}: ${String(cause)}`, { cause });
  }
}
