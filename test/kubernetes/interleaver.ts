import { type Random, randomBelow, seededRandom } from "../../lib/base/random.ts";
import type { VirtualClock } from "../../lib/simulator/virtual-clock.ts";

interface Parked {
  readonly owner: object;
  readonly go: () => void;
}

/**
 * Has several who work at once go on one after the other, in an order that is one seed's: each stops
 * at every {@link point} until it is drawn. Time passes when nobody is at one.
 */
export class Interleaver {
  readonly random: Random;
  /** How long a step may take at most, of those that take any time: machines and servers are slow. */
  slownessMs = 0;
  readonly #clock: VirtualClock;
  #parked: Parked[] = [];
  readonly #dead = new Set<object>();

  constructor(clock: VirtualClock, seed: number) {
    this.#clock = clock;
    this.random = seededRandom(seed);
  }

  below(bound: number): number {
    return randomBelow(this.random, bound);
  }

  /** Waits for its turn; for ever when `owner` dies meanwhile. */
  point(owner: object): Promise<void> {
    return new Promise((go) => {
      if (!this.#dead.has(owner)) this.#parked.push({ owner, go });
    });
  }

  /** Nothing that it began goes on. */
  kill(owner: object): void {
    this.#dead.add(owner);
    this.#parked = this.#parked.filter((each) => each.owner !== owner);
  }

  /** Lets one go on; or time, by up to `quietMs`, when nobody is waiting. */
  async step(quietMs: number): Promise<void> {
    // Whatever follows from the last step happens before the next one.
    await new Promise((resolve) => setImmediate(resolve));
    const isSlow = this.slownessMs > 0 && this.below(4) === 0;
    if (this.#parked.length === 0) this.#clock.run(quietMs);
    else if (isSlow) this.#clock.run(this.below(this.slownessMs));
    else this.#parked.splice(this.below(this.#parked.length), 1)[0]!.go();
  }

  async steps(count: number): Promise<void> {
    for (let at = 0; at < count; at++) await this.step(100);
  }

  /** Until it holds. @throws Error after so long on the clock */
  async until(holds: () => boolean, limitMs: number, what: () => string): Promise<void> {
    const endMs = this.#clock.nowMs + limitMs;
    while (!holds()) {
      if (this.#clock.nowMs >= endMs) throw new Error(`not within ${limitMs} ms: ${what()}`);
      await this.step(250);
    }
  }
}
