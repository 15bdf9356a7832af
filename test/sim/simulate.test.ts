import { describe, expect, test } from "bun:test";
import { describe as describeStep, isFault, type Plan } from "../../lib/simulator/plan.ts";
import { makePlan } from "../../lib/simulator/plan-maker.ts";
import { replayLine } from "../../lib/simulator/replay.ts";
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

describe("a history can be replayed:", () => {
  test("the command says what its plan does not have by itself", () => {
    const standard = makePlan(9, { peers: 5, faults: 12 });
    expect(replayLine(standard)).toBe("weave simulate --seed 9 --peers 5 --faults 12 --trace");
    const other = makePlan(9, {
      peers: 5,
      faults: 12,
      durationMs: 240_000,
      reclaimAfterMs: 30_000,
    });
    expect(replayLine(other)).toBe(
      "weave simulate --seed 9 --peers 5 --faults 12 --minutes 4 --reclaim 30s --trace",
    );
  });
});

describe("with reclaim", () => {
  const plan = makePlan(3, { peers: 7, faults: 60, reclaimAfterMs: 60_000 });

  test("peers are away for longer, disks stay, and whoever comes back is asked at once", () => {
    expect(plan.steps.some(({ kind }) => kind === "wipe" || kind === "leave")).toBe(false);
    const away = plan.steps.flatMap((step) =>
      step.kind === "kill" && step.backAfterMs > 60_000 ? [step] : [],
    );
    expect(away.length).toBeGreaterThan(5);
    const askedAtReturn = away.filter(({ peer, atMs, backAfterMs }) =>
      plan.steps.some(
        (step) =>
          step.kind === "allocate" &&
          step.peer === peer &&
          step.atMs >= atMs + backAfterMs &&
          step.atMs < atMs + backAfterMs + 400,
      ),
    );
    expect(askedAtReturn.length).toBeGreaterThan(away.length / 2);
  });

  test("the promises that remain are kept", async () => {
    expect((await simulate(plan)).breach).toBeUndefined();
  });
});

test("what a peer took over and could not store is not its own after a restart", async () => {
  const quiet = makePlan(1, { peers: 4, faults: 0, durationMs: 60_000 });
  const release = { version: 2, extended: true } as const;
  const plan: Plan = {
    ...quiet,
    shape: { ...quiet.shape, init: "seed", releases: Array.from({ length: 4 }, () => release) },
    steps: [
      { atMs: 10_000, kind: "wipe", peer: 2, silent: false, backAfterMs: 40_000, takenOverBy: 4 },
      { atMs: 11_000, kind: "disk full", peer: 4, forMs: 25_000 },
      { atMs: 30_000, kind: "upgrade", peer: 4, release },
    ],
  };
  const { breach, happenings } = await simulate(plan);
  expect(happenings.map(({ text }) => text).join("\n")).toMatch(/4 takes over \d+ addresses of 2/);
  expect(breach).toBeUndefined();
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
