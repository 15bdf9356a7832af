import { describe, expect, test } from "bun:test";
import { WeaveError } from "../../lib/base/errors.ts";
import { Refusals } from "../../lib/mesh/refusals.ts";
import { loneWorld, simulationEpochMs } from "../sim/world.ts";
import { nameOf } from "./records.ts";

describe("refusals", () => {
  test("are counted by origin and channel, with the latest reason", () => {
    const { world } = loneWorld();
    const refusals = new Refusals(world);
    refusals.note("words", nameOf(2), new WeaveError("A", "first", { remedy: "do this" }));
    refusals.note("words", nameOf(2), new WeaveError("B", "second"));
    refusals.note("words", nameOf(3), new WeaveError("A", "first"));
    expect(refusals.list()).toEqual([
      {
        channel: "words",
        origin: nameOf(2),
        count: 2,
        error: { code: "B", text: "second" },
        atMs: simulationEpochMs,
      },
      {
        channel: "words",
        origin: nameOf(3),
        count: 1,
        error: { code: "A", text: "first" },
        atMs: simulationEpochMs,
      },
    ]);
  });

  test("are said aloud once for each reason", () => {
    const { world } = loneWorld();
    const refusals = new Refusals(world);
    for (const text of ["a", "a", "a", "b", "b"]) {
      refusals.note("words", nameOf(2), new WeaveError("A", text));
    }
    const levels = world.lines.map((line) => line.split(" ")[0]);
    expect(levels).toEqual(["warn", "debug", "debug", "warn", "debug"]);
  });

  test("of ever new origins are bounded", () => {
    const { world } = loneWorld();
    const refusals = new Refusals(world);
    for (let n = 1; n <= 1000; n++) refusals.note("words", nameOf(n), new WeaveError("A", "a"));
    expect(refusals.list().length).toBe(256);
    expect(refusals.list().at(-1)!.origin).toBe(nameOf(1000));
  });
});
