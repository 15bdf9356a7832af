import { parseArgs } from "node:util";
import { findCause } from "../../lib/simulator/find-cause.ts";
import { makePlan } from "../../lib/simulator/plan-maker.ts";
import { simulate } from "../../lib/simulator/simulate.ts";
import { drawTimeline, timelineLegend } from "../../lib/simulator/timeline.ts";

/**
 * Runs simulated histories, one seed after the other, for as long as it is told:
 *
 *   bun run soak [--minutes 10] [--seed 1] [--seeds <n>] [--peers 20] [--faults 200] [--go-on]
 *       [--reclaim <seconds>]
 *
 * It ends at the first broken invariant with the seed and the shortest history found that shows it,
 * or with `--go-on` tells it and continues. With `--reclaim` peers are gone for
 * longer than that, and lose their ranges. `weave simulate --seed <n>` shows one again.
 */
const { values } = parseArgs({
  options: {
    minutes: { type: "string", default: "10" },
    seed: { type: "string", default: "1" },
    seeds: { type: "string", default: "1000000000" },
    peers: { type: "string", default: "20" },
    faults: { type: "string", default: "200" },
    reclaim: { type: "string", default: "0" },
    "go-on": { type: "boolean", default: false },
  },
});
const untilMs = performance.now() + Number(values.minutes) * 60_000;
const faults = Number(values.faults);
const reclaimAfterMs = 1000 * Number(values.reclaim);
const options = {
  peers: Number(values.peers),
  faults,
  // Long enough for several absences that the others do not wait for.
  durationMs: Math.max(1000 * faults, 10 * reclaimAfterMs),
  reclaimAfterMs,
};
const first = Number(values.seed);
const end = first + Number(values.seeds);
const reportEverySeeds = 25;

let [seeds, steps, virtualMs, broken] = [0, 0, 0, 0];
for (let seed = first; seed < end && performance.now() < untilMs; seed++) {
  const plan = makePlan(seed, options);
  const outcome = await simulate(plan);
  seeds++;
  steps += plan.steps.length;
  virtualMs += outcome.virtualMs;
  if (outcome.breach !== undefined) {
    broken++;
    await tell(seed, outcome);
    if (!values["go-on"]) break;
  }
  if (seeds % reportEverySeeds === 0) console.log(summary());
}
console.log(summary());
process.exitCode = broken === 0 ? 0 : 1;

function summary(): string {
  const hours = (virtualMs / 3_600_000).toFixed(1);
  const minutes = ((process.cpuUsage().user + process.cpuUsage().system) / 60e6).toFixed(1);
  return `seeds ${first} to ${first + seeds - 1}: ${seeds} histories of ${options.peers} peers and ${options.faults} faults, ${steps} steps, ${hours} virtual hours, ${minutes} minutes of CPU, ${broken} broken`;
}

async function tell(seed: number, failed: Awaited<ReturnType<typeof simulate>>): Promise<void> {
  const { breach } = failed;
  console.log(`seed ${seed}: ${breach?.invariant}: ${breach?.found}`);
  const { happenings, plan } = await findCause(failed);
  for (const { atMs, text } of happenings) console.log(`${(atMs / 1000).toFixed(3)} ${text}`);
  console.log(drawTimeline(happenings, { peers: plan.shape.peers, columns: 100 }));
  console.log(timelineLegend);
}
