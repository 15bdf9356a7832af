import { describe, expect, test } from "bun:test";
import { TrafficWatch } from "../../../lib/overlay/fastdp/traffic-watch.ts";
import { loneWorld } from "../../sim/world.ts";

/** A neighbour whose frames come as the test says, and when they were noticed to stop. */
function make() {
  const { world, clock } = loneWorld();
  const silences: number[] = [];
  let activity: number | undefined = 0;
  let looks = 0;
  const watch = new TrafficWatch({
    world,
    activity: () => {
      looks++;
      return activity;
    },
    fellSilent: () => silences.push(clock.nowMs),
  });
  watch.start();
  const frames = (everyMs: number, forMs: number): void => {
    for (let left = forMs; left > 0; left -= everyMs) {
      activity = ((activity ?? 0) + 1) >>> 0;
      clock.run(everyMs);
    }
  };
  const looked = (forMs: number): number => {
    looks = 0;
    clock.run(forMs);
    return looks;
  };
  return { watch, world, clock, silences, frames, looked, set: (to?: number) => (activity = to) };
}

describe("traffic that stops", () => {
  test("is noticed once, within a fifth of a second", () => {
    const { silences, frames, clock } = make();
    frames(4, 2500);
    const stoppedMs = clock.nowMs;
    clock.run(10_000);
    expect(silences.length).toBe(1);
    expect(silences[0]! - stoppedMs).toBeGreaterThanOrEqual(146);
    expect(silences[0]! - stoppedMs).toBeLessThanOrEqual(250);
  });

  test("is noticed again when it had gone on meanwhile", () => {
    const { silences, frames, clock } = make();
    for (let times = 0; times < 3; times++) {
      frames(4, 2000);
      clock.run(400);
    }
    expect(silences.length).toBe(3);
  });

  test("is none when there were a few frames only", () => {
    const { silences, frames } = make();
    frames(100, 20_000);
    expect(silences).toEqual([]);
  });

  test("is none of a datapath that does not count by neighbour", () => {
    const { silences, frames, clock, set } = make();
    frames(4, 2000);
    set(undefined);
    clock.run(5000);
    expect(silences).toEqual([]);
  });

  test("is noticed when the count began again from 0", () => {
    const { silences, frames, clock, set } = make();
    set(2 ** 32 - 300);
    frames(4, 3000);
    expect(silences).toEqual([]);
    clock.run(1000);
    expect(silences.length).toBe(1);
  });
});

describe("looking", () => {
  test("is for every second where nothing goes on, and ends with the watch", () => {
    const { looked, frames, watch, world } = make();
    expect(looked(60_000)).toBeLessThanOrEqual(61);
    frames(4, 2000);
    expect(looked(1000)).toBeGreaterThanOrEqual(15);
    looked(1000);
    expect(looked(60_000)).toBeLessThanOrEqual(61);
    watch.stop();
    expect(world.timers).toBe(0);
  });
});
