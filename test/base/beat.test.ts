import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { everyBeat, msToBeat } from "../../lib/base/beat.ts";
import { VirtualClock } from "../../lib/simulator/virtual-clock.ts";

const periodMs = 10_000;

describe("a beat", () => {
  test("is kept by who is on it, a little early or late as timers are", () => {
    expect(msToBeat(50_000, periodMs)).toBe(10_000);
    expect(msToBeat(50_003, periodMs)).toBe(9_997);
    expect(msToBeat(49_999.5, periodMs)).toBe(10_000.5);
  });

  test("is met within five waits from anywhere, none of them far from the period", () => {
    fc.assert(
      fc.property(fc.double({ min: 0, max: 2e12, noNaN: true }), (startMs) => {
        let nowMs = startMs;
        for (let wait = 0; wait < 5; wait++) {
          const waitMs = msToBeat(nowMs, periodMs);
          expect(waitMs).toBeGreaterThanOrEqual(0.8 * periodMs);
          expect(waitMs).toBeLessThanOrEqual(1.1 * periodMs);
          nowMs += waitMs;
        }
        const offBeatMs = nowMs % periodMs;
        expect(Math.min(offBeatMs, periodMs - offBeatMs)).toBeLessThan(1);
      }),
      { seed: 1, numRuns: 2000 },
    );
  });

  test("brings together what began at different times, until it is cancelled", () => {
    const clock = new VirtualClock();
    const world = {
      monotonicMs: () => clock.nowMs,
      after: (delayMs: number, action: () => void) => clock.after(delayMs, action),
    };
    const times: number[][] = [];
    const cancels: Array<() => void> = [];
    for (const startMs of [0, 1_234, 3_000, 7_777]) {
      clock.after(startMs, () => {
        const acted: number[] = [];
        times.push(acted);
        cancels.push(everyBeat(world, periodMs, () => acted.push(clock.nowMs)));
      });
    }
    clock.run(100_000);
    for (const acted of times) {
      expect(acted.filter((ms) => ms > 50_000)).toEqual([60_000, 70_000, 80_000, 90_000, 100_000]);
    }
    for (const cancel of cancels) cancel();
    clock.run(100_000);
    expect(times.map((acted) => acted.at(-1))).toEqual([100_000, 100_000, 100_000, 100_000]);
  });
});
