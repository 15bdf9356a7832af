import { parseArgs } from "node:util";
import type { SoakAnswer, SoakRequest } from "./soak-worker.ts";

/**
 * Runs simulated histories, one seed after the other, for as long as it is told:
 *
 *   bun run soak [--minutes 10] [--seed 1] [--seeds <n>] [--peers 20] [--faults 200] [--go-on]
 *       [--reclaim <seconds>] [--jobs 1]
 *
 * It ends at the first broken invariant with the seed and the shortest history found that shows it,
 * or with `--go-on` tells it and continues. With `--reclaim` peers are gone for longer than that, and
 * lose their ranges. `--jobs` processes share the seeds.
 */
const { values } = parseArgs({
  options: {
    minutes: { type: "string", default: "10" },
    seed: { type: "string", default: "1" },
    seeds: { type: "string", default: "1000000000" },
    peers: { type: "string", default: "20" },
    faults: { type: "string", default: "200" },
    reclaim: { type: "string", default: "0" },
    jobs: { type: "string", default: "1" },
    "go-on": { type: "boolean", default: false },
  },
});
const untilMs = performance.now() + Number(values.minutes) * 60_000;
const options: SoakRequest["options"] = {
  peers: Number(values.peers),
  faults: Number(values.faults),
  reclaimAfterMs: 1000 * Number(values.reclaim),
};
const first = Number(values.seed);
const end = first + Number(values.seeds);
const reportEverySeeds = 25;

let next = first;
let [seeds, steps, virtualMs, cpuMs, meshes, broken] = [0, 0, 0, 0, 0, 0];
await Promise.all(Array.from({ length: Number(values.jobs) }, runJob));
console.log(summary());
process.exitCode = broken === 0 ? 0 : 1;

/** One process that is given seeds until there are no more, or no more time. */
async function runJob(): Promise<void> {
  const job = Bun.spawn([process.execPath, `${import.meta.dir}/soak-worker.ts`], {
    stdout: "inherit",
    stderr: "inherit",
    ipc: (answer: SoakAnswer) => {
      count(answer);
      giveSeed();
    },
  });
  console.log(`process ${job.pid} runs seeds`);
  const giveSeed = (): void => {
    const isOver = next >= end || performance.now() >= untilMs || (broken > 0 && !values["go-on"]);
    if (isOver) job.kill();
    else job.send({ seed: next++, options } satisfies SoakRequest);
  };
  giveSeed();
  await job.exited;
}

function count(answer: SoakAnswer): void {
  seeds++;
  steps += answer.steps;
  virtualMs += answer.virtualMs;
  cpuMs += answer.cpuMs;
  if (answer.topology === "mesh") meshes++;
  if (answer.broken !== undefined) {
    broken++;
    console.log(answer.broken);
  }
  if (seeds % reportEverySeeds === 0) console.log(summary());
}

function summary(): string {
  const hours = (virtualMs / 3_600_000).toFixed(1);
  const minutes = (cpuMs / 60_000).toFixed(1);
  const each = (cpuMs / 1000 / Math.max(1, seeds)).toFixed(2);
  return `seeds ${first} to ${next - 1}: ${seeds} histories of ${options.peers} peers and ${options.faults} faults (${meshes} in a full mesh), ${steps} steps, ${hours} virtual hours, ${minutes} minutes of CPU (${each} s each), ${broken} broken`;
}
