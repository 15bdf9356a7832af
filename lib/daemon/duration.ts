import { WeaveError } from "../base/errors.ts";

/** Durations as Go writes them, `1m30s`, `500ms`, `1.5h`: what users of the original type. */
const unitsMs: Readonly<Record<string, number>> = {
  ns: 1e-6,
  us: 1e-3,
  µs: 1e-3,
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
};

/** Milliseconds. @throws WeaveError `DURATION_FORMAT` */
export function parseDurationMs(text: string): number {
  const whole = /^\+?(?:(?:\d+(?:\.\d*)?|\.\d+)(?:ns|us|µs|ms|s|m|h))+$/.test(text);
  if (!whole && text !== "0") {
    throw new WeaveError("DURATION_FORMAT", `invalid duration "${text}"`, {
      remedy: "write a number and a unit such as 5s or 500ms",
    });
  }
  let sum = 0;
  for (const [, number, unit] of text.matchAll(/([\d.]+)(ns|us|µs|ms|s|m|h)/g)) {
    sum += Number(number) * unitsMs[unit!]!;
  }
  return sum;
}
