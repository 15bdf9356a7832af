import { expect, test } from "bun:test";
import { coalesce } from "../../lib/base/coalesce.ts";

test("an action is run once for all who ask within the delay, again for later ones, and not when forgotten", () => {
  const timers = new Set<() => void>();
  const world = {
    after(_delayMs: number, run: () => void) {
      timers.add(run);
      return () => void timers.delete(run);
    },
  };
  const elapse = () => {
    for (const run of [...timers]) {
      timers.delete(run);
      run();
    }
  };
  let runs = 0;
  const ask = coalesce(world, 20, () => runs++);
  ask();
  ask();
  expect(runs).toBe(0);
  elapse();
  expect(runs).toBe(1);
  ask();
  elapse();
  expect(runs).toBe(2);
  ask();
  ask.cancel();
  elapse();
  expect(runs).toBe(2);
});
