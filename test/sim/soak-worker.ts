import { findCause } from "../../lib/simulator/find-cause.ts";
import type { Plan } from "../../lib/simulator/plan.ts";
import { makePlan, type PlanOptions } from "../../lib/simulator/plan-maker.ts";
import { replayLine } from "../../lib/simulator/replay.ts";
import { type Outcome, simulate } from "../../lib/simulator/simulate.ts";
import { drawTimeline, timelineLegend } from "../../lib/simulator/timeline.ts";

/** What `soak.ts` asks of one of its processes. */
export interface SoakRequest {
  readonly seed: number;
  readonly options: PlanOptions;
}

/** What comes of one seed. */
export interface SoakAnswer {
  readonly seed: number;
  readonly topology: Plan["shape"]["topology"];
  readonly steps: number;
  readonly virtualMs: number;
  readonly cpuMs: number;
  /** What was broken, and the shortest history that shows it; absent when all held. */
  readonly broken: string | undefined;
}

process.on("message", async ({ seed, options }: SoakRequest) => {
  const before = process.cpuUsage();
  const plan = makePlan(seed, options);
  const outcome = await simulate(plan);
  const { user, system } = process.cpuUsage(before);
  const answer: SoakAnswer = {
    seed,
    topology: plan.shape.topology,
    steps: plan.steps.length,
    virtualMs: outcome.virtualMs,
    cpuMs: (user + system) / 1000,
    broken: outcome.breach && (await tell(outcome)),
  };
  process.send?.(answer);
});

async function tell(failed: Outcome): Promise<string> {
  const { breach, plan } = failed;
  const { happenings } = await findCause(failed);
  return [
    `seed ${plan.seed}: ${breach?.invariant}: ${breach?.found}`,
    `Replay: ${replayLine(plan)}`,
    ...happenings.map(({ atMs, text }) => `${(atMs / 1000).toFixed(3)} ${text}`),
    drawTimeline(happenings, { peers: plan.shape.peers, columns: 100 }),
    timelineLegend,
  ].join("\n");
}
