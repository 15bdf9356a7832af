import type { PathMtuPlan } from "../../../lib/overlay/path-mtu-plan.ts";

/** The search of the original: one size at a time, halving, and data at the kernel's figure. */
export const referencePlan: PathMtuPlan = {
  trustKernel: true,
  probesPerRound: 1,
  commonPathMtus: [],
  commonAfterAttempts: Number.POSITIVE_INFINITY,
  attemptsMax: 8,
  attemptsOnceAnsweredMax: 8,
  repeatAfterAnswers: 0,
  recheckReliedMs: Number.POSITIVE_INFINITY,
  recheckMs: Number.POSITIVE_INFINITY,
  recheckSilentMs: Number.POSITIVE_INFINITY,
  recheckFallenSilentMs: Number.POSITIVE_INFINITY,
};
