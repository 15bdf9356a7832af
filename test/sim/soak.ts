import { parseArgs } from "node:util";
import { History, told } from "./history.ts";

/**
 * Runs histories of simulated clusters, one seed after the other, for as long as it is told:
 *
 *   bun run soak [--minutes 10] [--seed 1] [--steps 200]
 *
 * It ends at the first broken invariant with the seed and what had happened; the same seed and steps
 * show it again.
 */
const { values } = parseArgs({
  options: {
    minutes: { type: "string", default: "10" },
    seed: { type: "string", default: "1" },
    steps: { type: "string", default: "200" },
  },
});
const untilMs = performance.now() + Number(values.minutes) * 60_000;
const steps = Number(values.steps);
const first = Number(values.seed);

let seed = first;
let virtualMs = 0;
for (; performance.now() < untilMs; seed++) {
  const history = new History(seed);
  await told(seed, history, async () => {
    await history.launch();
    for (let step = 0; step < steps; step++) await history.step();
    await history.settle();
  });
  virtualMs += history.cluster.clock.nowMs;
  const hours = (virtualMs / 3_600_000).toFixed(1);
  console.log(`seed ${seed} holds; ${seed - first + 1} seeds, ${hours} virtual hours`);
}
console.log(`${seed - first} seeds of ${steps} steps each: no invariant broken`);
