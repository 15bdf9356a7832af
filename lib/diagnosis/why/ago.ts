const units: ReadonlyArray<readonly [name: string, ms: number]> = [
  ["d", 86_400_000],
  ["h", 3_600_000],
  ["min", 60_000],
  ["s", 1000],
];

/** `12 s ago`, `3 min ago`: of a wall clock in milliseconds, in the largest unit that fits. */
export function ago(atMs: number, nowMs: number): string {
  const passedMs = Math.max(0, nowMs - atMs);
  const [name, ms] = units.find(([, size]) => passedMs >= size) ?? units.at(-1)!;
  return `${Math.floor(passedMs / ms)} ${name} ago`;
}
