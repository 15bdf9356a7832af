import { type Random, seededRandom } from "../base/random.ts";
import type { Cancel, Log, World } from "../base/world.ts";
import type { VirtualClock } from "./virtual-clock.ts";

/** Wall clock at the beginning of every simulation: 2022-11-23 10:40:00 UTC. */
export const simulationEpochMs = 1_669_200_000_000;

const linesMax = 10_000;

/** The machine of one simulated peer: a shared clock, its own randomness, a log to read. */
export class SimWorld implements World {
  readonly random: Random;
  readonly log: Log;
  /** `level text`, oldest first; at most {@link linesMax}, the latest. */
  readonly lines: string[] = [];
  /** How far this machine's wall clock is ahead of the true time. */
  skewMs = 0;
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
    return simulationEpochMs + this.#clock.nowMs + this.skewMs;
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
