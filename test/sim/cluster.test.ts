import { describe, expect, test } from "bun:test";
import { History, historySize, told } from "./history.ts";

const seeds = [1, 2, 3];
const steps = 40;

describe(`${historySize} peers with addresses and names`, () => {
  for (const seed of seeds) {
    test(`agree after delays, lost connections and restarts (seed ${seed})`, async () => {
      const history = new History(seed);
      await told(seed, history, async () => {
        await history.launch();
        for (let step = 0; step < steps; step++) await history.step();
        await history.settle();
      });
    });
  }

  test("meet within ten seconds of a common start", async () => {
    const history = new History(99);
    await told(99, history, async () => {
      await history.launch();
      await history.cluster.runUntil("full mesh", () => history.cluster.isFullMesh(), 10_000);
    });
  });

  test("replay the same history from the same seed", async () => {
    const runs: string[][] = [];
    for (let run = 0; run < 2; run++) {
      const history = new History(7);
      await history.launch();
      for (let step = 0; step < 10; step++) await history.step();
      runs.push([...history.trace, ...history.cluster.rings(), ...history.cluster.nameViews()]);
    }
    expect(runs[0]).toEqual(runs[1]!);
  });
});
