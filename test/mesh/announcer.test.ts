import { describe, expect, test } from "bun:test";
import { Announcer, announcementDelayMs } from "../../lib/mesh/announcer.ts";
import { loneWorld } from "../sim/world.ts";
import { nameOf } from "./records.ts";

describe("announcements", () => {
  test("wait a second from the first change and take all later ones with them", () => {
    const { world, clock } = loneWorld();
    const announced: number[][] = [];
    const announcer = new Announcer(world, (names) => announced.push([...names]));
    announcer.add(nameOf(1), nameOf(2));
    clock.run(announcementDelayMs - 1);
    announcer.add(nameOf(1), nameOf(3));
    expect(announced).toEqual([]);
    clock.run(1);
    expect(announced).toEqual([[nameOf(1), nameOf(2), nameOf(3)]]);
    clock.run(10_000);
    announcer.add(nameOf(4));
    clock.run(announcementDelayMs);
    expect(announced[1]).toEqual([nameOf(4)]);
  });

  test("are dropped when all is stopped", () => {
    const { world, clock } = loneWorld();
    const announcer = new Announcer(world, () => expect.unreachable());
    announcer.add(nameOf(1));
    announcer.stop();
    clock.run(10_000);
    expect(world.timers).toBe(0);
  });
});
