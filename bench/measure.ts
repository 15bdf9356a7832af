/** What every benchmark here needs: repeated runs in turn, and medians. */

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

/** `12.3 (11.0–14.2)`: the median and how far the runs lay apart. */
export function shown(values: readonly number[], digits = 1): string {
  const [low, high] = [Math.min(...values), Math.max(...values)];
  return `${median(values).toFixed(digits)} (${low.toFixed(digits)}–${high.toFixed(digits)})`;
}

/**
 * Runs all candidates `rounds` times in turn (A B C A B C …), so that a machine whose speed drifts
 * treats them alike; the first round is a warm-up and does not count.
 */
export async function inTurn<Name extends string>(
  candidates: Readonly<Record<Name, () => Promise<number>>>,
  rounds: number,
): Promise<Record<Name, number[]>> {
  const names = Object.keys(candidates) as Name[];
  const results = new Map<Name, number[]>(names.map((name) => [name, []]));
  for (let round = 0; round <= rounds; round++) {
    for (const name of names) {
      const value = await candidates[name]();
      if (round > 0) results.get(name)!.push(value);
    }
  }
  return Object.fromEntries(results) as Record<Name, number[]>;
}
