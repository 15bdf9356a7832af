/**
 * How often values fell into each of a few ranges:
 *
 *   bounds     0.001     0.01      0.1
 *   counts   ────┤ 5 ├────┤ 9 ├────┤ 1 ├──── 0        one more than there are bounds
 */
export interface HistogramReading {
  /** Upper bounds, ascending, each inclusive; the last range has none. */
  readonly bounds: readonly number[];
  /** By range, not cumulative. */
  readonly counts: readonly number[];
  readonly sum: number;
  readonly count: number;
}

export class Histogram {
  readonly #bounds: readonly number[];
  readonly #counts: number[];
  #sum = 0;
  #count = 0;

  constructor(bounds: readonly number[]) {
    this.#bounds = bounds;
    this.#counts = new Array(bounds.length + 1).fill(0);
  }

  observe(value: number): void {
    let range = 0;
    while (range < this.#bounds.length && value > this.#bounds[range]!) range++;
    this.#counts[range]!++;
    this.#sum += value;
    this.#count++;
  }

  read(): HistogramReading {
    return {
      bounds: this.#bounds,
      counts: [...this.#counts],
      sum: this.#sum,
      count: this.#count,
    };
  }
}

/** Both together; they have the same bounds. */
export function addHistograms(a: HistogramReading, b: HistogramReading): HistogramReading {
  return {
    bounds: a.bounds,
    counts: a.counts.map((count, range) => count + b.counts[range]!),
    sum: a.sum + b.sum,
    count: a.count + b.count,
  };
}
