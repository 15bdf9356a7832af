import { expect, test } from "bun:test";
import { GrowingWindow } from "../../lib/base/growing-window.ts";
import { VirtualClock } from "../../lib/simulator/virtual-clock.ts";

const bounds = { firstMs: 10, longestMs: 40 };

/** A window that notes when it was over, and has `busy` times something to deal with. */
function noting(busy: number): { clock: VirtualClock; window: GrowingWindow; overAt: number[] } {
  const clock = new VirtualClock();
  const overAt: number[] = [];
  const window = new GrowingWindow(clock, bounds, () => {
    overAt.push(clock.nowMs);
    return overAt.length <= busy;
  });
  return { clock, window, overAt };
}

test("one window in which nothing came is the only one", () => {
  const { clock, window, overAt } = noting(0);
  window.open();
  expect(window.isOpen).toBe(true);
  clock.run(1000);
  expect(overAt).toEqual([10]);
  expect(window.isOpen).toBe(false);
});

test("windows grow while something comes, and begin anew after a quiet one", () => {
  const { clock, window, overAt } = noting(4);
  window.open();
  window.open();
  clock.run(1000);
  expect(overAt).toEqual([10, 30, 70, 110, 150]);
  window.open();
  clock.run(1000);
  expect(overAt.at(-1)).toBe(1010);
});

test("a window that is stopped is never over", () => {
  const { clock, window, overAt } = noting(4);
  window.open();
  clock.run(15);
  window.stop();
  clock.run(1000);
  expect(overAt).toEqual([10]);
});
