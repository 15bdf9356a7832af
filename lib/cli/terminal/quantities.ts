import type { Rate } from "../live/traffic-rates.ts";

/** Numbers as people read them at a glance. */

/** Where nothing is known. */
export const unknownText = "-";

/** `0 B/s`, `1.2 kB/s`, `34 MB/s`: octets a second, in powers of 1000. */
export function rateText(octetsPerSecond: number | undefined): string {
  if (octetsPerSecond === undefined) return unknownText;
  const units = ["B/s", "kB/s", "MB/s", "GB/s", "TB/s"];
  let [value, unit] = [octetsPerSecond, 0];
  // Before it would be rounded to 1000.
  while (value >= 999.5 && unit < units.length - 1) {
    value /= 1000;
    unit++;
  }
  return `${value < 9.95 && unit > 0 ? value.toFixed(1) : Math.round(value)} ${units[unit]}`;
}

/** `0.31 ms`, `12 ms`, `1.3 s`. */
export function roundTripText(ms: number | undefined): string {
  if (ms === undefined) return unknownText;
  if (ms < 1) return `${ms.toFixed(2)} ms`;
  if (ms < 10) return `${ms.toFixed(1)} ms`;
  return ms < 1000 ? `${Math.round(ms)} ms` : `${(ms / 1000).toFixed(1)} s`;
}

/** `1,048,576`. */
export function countText(count: number): string {
  return String(count).replace(/\B(?=(\d{3})+$)/g, ",");
}

/** `1 link`, `1,048,576 links`. */
export function countedText(count: number, one: string): string {
  return `${countText(count)} ${count === 1 ? one : `${one}s`}`;
}

/** The latest values as bars, the last one at the right; the highest fills its place. */
export function sparkline(
  values: readonly (number | undefined)[],
  columns: number,
  steps: readonly string[],
): string {
  const latest = values.slice(-columns);
  const highest = Math.max(1, ...latest.map((value) => value ?? 0));
  const bars = latest.map((value = 0) => {
    const step = Math.ceil((value / highest) * (steps.length - 1));
    return steps[step]!;
  });
  return bars.join("").padStart(columns);
}

/** Both directions together. */
export function sumOfRate(rate: Rate | undefined): number | undefined {
  return rate && rate.sent + rate.received;
}
