import { describe, expect, test } from "bun:test";
import { describe as describeStep, isFault } from "../../lib/simulator/plan.ts";
import { makePlan } from "../../lib/simulator/plan-maker.ts";
import { simulate } from "../../lib/simulator/simulate.ts";

const small = { peers: 20, faults: 60 };

describe("a plan", () => {
  test("follows from its seed", () => {
    expect(makePlan(5, small)).toEqual(makePlan(5, small));
    expect(makePlan(5, small)).not.toEqual(makePlan(6, small));
  });

  test("has the faults that were asked for, in the order of their times, and requests between", () => {
    const { steps, durationMs } = makePlan(5, small);
    expect(steps.filter(isFault)).toHaveLength(60);
    expect(steps.length).toBeGreaterThan(60);
    expect(steps.map(({ atMs }) => atMs)).toEqual(
      steps.map(({ atMs }) => atMs).toSorted((a, b) => a - b),
    );
    expect(steps.every(({ atMs }) => atMs <= durationMs + 400)).toBe(true);
  });

  test("knows every kind of fault, and has words for it", () => {
    const steps = makePlan(1, { peers: 20, faults: 2000 }).steps;
    expect(new Set(steps.filter(isFault).map(({ kind }) => kind)).size).toBe(13);
    for (const step of steps) expect(describeStep(step)).toMatch(/\d/);
  });
});

describe("twenty peers", () => {
  for (const seed of [3]) {
    test(`keep their promises through sixty faults (seed ${seed})`, async () => {
      const { breach, happenings, virtualMs } = await simulate(makePlan(seed, small));
      expect(breach).toBeUndefined();
      expect(happenings.length).toBeGreaterThan(60);
      expect(virtualMs).toBeGreaterThan(60_000);
    });
  }
});

describe("a history", () => {
  test("is the same whenever its plan is carried out", async () => {
    const plan = makePlan(4, { peers: 6, faults: 40 });
    const [first, second] = [await simulate(plan), await simulate(plan)];
    expect(second.happenings).toEqual(first.happenings);
    expect(second.traffic).toEqual(first.traffic);
  });

  test("can be carried out in part", async () => {
    const plan = makePlan(4, { peers: 6, faults: 40 });
    const { breach } = await simulate({
      ...plan,
      steps: plan.steps.filter((_, at) => at % 3 === 0),
    });
    expect(breach).toBeUndefined();
  });
});
