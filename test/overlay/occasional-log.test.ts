import { expect, test } from "bun:test";
import { silentLog } from "../../lib/base/world.ts";
import {
  OccasionalLog,
  occasionalPeriodMs,
  occasionalSubjectsMax,
} from "../../lib/overlay/occasional-log.ts";

function occasional() {
  const lines: string[] = [];
  const clock = { nowMs: 0 };
  const log = { ...silentLog, warn: (line: string) => void lines.push(line) };
  return { lines, clock, log: new OccasionalLog({ monotonicMs: () => clock.nowMs, log }) };
}

test("a subject is written once per period, with how often it came up", () => {
  const { lines, clock, log } = occasional();
  for (let i = 0; i < 5; i++) log.note("warn", "x", () => `x ${i}`);
  clock.nowMs = occasionalPeriodMs;
  log.note("warn", "x", () => "x again");
  expect(lines).toEqual(["x 0", "x again (and 4 times before)"]);
});

test("subjects do not silence each other, until there are too many", () => {
  const { lines, log } = occasional();
  for (let i = 0; i < 10_000; i++) log.note("warn", `subject ${i}`, () => "line");
  expect(lines).toHaveLength(occasionalSubjectsMax + 1);
});
