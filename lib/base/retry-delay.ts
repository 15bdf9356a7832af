/** How long to wait before something is tried again. */
export interface RetryDelays {
  readonly firstMs: number;
  readonly maxMs: number;
  readonly growth: number;
}

/**
 * Longer after each attempt that fails at once, and the first again after one that lasted longer
 * than the wait before it.
 */
export class RetryDelay {
  readonly #delays: RetryDelays;
  #nextMs: number;

  constructor(delays: RetryDelays) {
    this.#delays = delays;
    this.#nextMs = delays.firstMs;
  }

  /** @param lastedMs how long the attempt went well; 0 for one that failed */
  after(lastedMs: number): number {
    const { firstMs, maxMs, growth } = this.#delays;
    const delayMs = lastedMs > this.#nextMs ? firstMs : this.#nextMs;
    this.#nextMs = Math.min(delayMs * growth, maxMs);
    return delayMs;
  }
}
