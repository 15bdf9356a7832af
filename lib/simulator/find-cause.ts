import type { Plan } from "./plan.ts";
import { shrink } from "./shrink.ts";
import { type Outcome, simulate } from "./simulate.ts";

/** Histories run to make a failure small; each is shorter than the first. */
const attemptsMax = 150;

/**
 * The smallest part of a plan found in which the same invariant breaks. Steps after the breach go
 * first, for they cannot have caused it.
 */
export async function findCause(failed: Outcome): Promise<Outcome> {
  const { breach, plan } = failed;
  if (breach === undefined) return failed;
  let best = failed;
  const attempt = async (steps: Plan["steps"]): Promise<boolean> => {
    const outcome = await simulate({ ...plan, steps });
    if (outcome.breach?.invariant !== breach.invariant) return false;
    best = outcome;
    return true;
  };
  const before = plan.steps.filter(({ atMs }) => atMs <= breach.atMs);
  const start = (await attempt(before)) ? before : plan.steps;
  await shrink(start, attempt, attemptsMax);
  return best;
}
