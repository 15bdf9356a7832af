import { isFault, type Plan } from "./plan.ts";
import { makePlan } from "./plan-maker.ts";

/** The command that shows a history again. */
export function replayLine({ seed, shape, steps, durationMs }: Plan): string {
  const { peers, reclaimAfterMs } = shape;
  const faults = steps.filter(isFault).length;
  const standard = makePlan(seed, { peers, faults, reclaimAfterMs });
  const flags = [`--seed ${seed}`, `--peers ${peers}`, `--faults ${faults}`];
  if (durationMs !== standard.durationMs) flags.push(`--minutes ${durationMs / 60_000}`);
  if (reclaimAfterMs > 0) flags.push(`--reclaim ${reclaimAfterMs / 1000}s`);
  return `weave simulate ${flags.join(" ")} --trace`;
}
