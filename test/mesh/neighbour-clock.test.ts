import { expect, test } from "bun:test";
import { NeighbourClock, shownTimesMax } from "../../lib/mesh/neighbour-clock.ts";
import { loneWorld } from "../sim/world.ts";

function setUp() {
  const { world, clock } = loneWorld();
  const theirs = new NeighbourClock(world);
  /** A message that they sent a while ago, with their clock so far ahead. */
  const heard = (aheadMs: number, delayMs = 0): void => {
    theirs.shows(world.now() + aheadMs - delayMs);
    clock.run(1000);
  };
  return { world, clock, theirs, heard };
}

test("the offset of a clock is unknown before it was shown, and not learnt from what is no time", () => {
  const { theirs } = setUp();
  for (const odd of [0, -1, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 60]) theirs.shows(odd);
  expect(theirs.offsetMs).toBeUndefined();
});

test("messages that were held up do not make it look behind", () => {
  const { theirs, heard } = setUp();
  heard(5000, 2000);
  heard(5000);
  heard(5000, 40_000);
  expect(theirs.offsetMs).toBe(5000);
});

test("a clock that is set back is believed after some messages, one that is set forward at once", () => {
  const { theirs, heard } = setUp();
  heard(60_000);
  for (let at = 1; at < shownTimesMax; at++) heard(0);
  expect(theirs.offsetMs).toBe(60_000);
  heard(0);
  expect(theirs.offsetMs).toBe(0);
  heard(90_000);
  expect(theirs.offsetMs).toBe(90_000);
});

test("when our own clock is set, what others have shown counts from there", () => {
  const { world, clock, theirs, heard } = setUp();
  heard(0);
  world.skewMs = 30_000;
  clock.run(60_000);
  expect(theirs.offsetMs).toBe(-30_000);
});
