import { expect, test } from "bun:test";
import { VirtualClock } from "../../lib/simulator/virtual-clock.ts";

test("a circle of events without time between them ends the simulation", () => {
  const clock = new VirtualClock();
  const again = (): void => {
    clock.after(0, again);
  };
  clock.after(5, again);
  expect(() => clock.run(10)).toThrow("time does not go on after 5 ms");
});
