import { describe, expect, test } from "bun:test";
import { Announcer } from "../../lib/mesh/announcer.ts";
import { loneWorld } from "../sim/world.ts";
import { nameOf } from "./records.ts";

describe("announcements", () => {
  for (const [what, size, delayMs] of [
    ["a few hundredths of a second in a small cluster", 3, 18],
    ["longer in a larger one", 15, 450],
    ["a second at most", 1000, 1000],
  ] as const) {
    test(`wait ${what}, and take all later changes with the first`, () => {
      const { world, clock } = loneWorld();
      const announced: number[][] = [];
      const announcer = new Announcer(world, { size }, (names) => announced.push([...names]));
      announcer.add(nameOf(1), nameOf(2));
      clock.run(delayMs - 1);
      announcer.add(nameOf(1), nameOf(3));
      expect(announced).toEqual([]);
      clock.run(1);
      expect(announced).toEqual([[nameOf(1), nameOf(2), nameOf(3)]]);
      clock.run(10_000);
      announcer.add(nameOf(4));
      clock.run(delayMs);
      expect(announced[1]).toEqual([nameOf(4)]);
    });
  }

  test("are dropped when all is stopped", () => {
    const { world, clock } = loneWorld();
    const announcer = new Announcer(world, { size: 3 }, () => expect.unreachable());
    announcer.add(nameOf(1));
    announcer.stop();
    clock.run(10_000);
    expect(world.timers).toBe(0);
  });
});
