/**
 * How the just-in-time compiler of a router's process is slowed down, as environment variables of
 * the runtime, which reads them at its start and nowhere else.
 *
 *   interpreted ──▶ compiled ──▶ optimised ──▶ optimised with effort
 *        4000           20,000         1,000,000      points: 15 for a call, 1 for turn of a loop
 *
 * By itself (500, 1000, 100,000) it compiles all of a router that starts into a busy cluster, which
 * takes as long as the work itself, for code that runs once a second afterwards. What carries
 * frames, and what answers many requests, gets there all the same: it runs a million times.
 */
export const calmCompiler = {
  BUN_JSC_thresholdForJITAfterWarmUp: "4000",
  BUN_JSC_thresholdForJITSoon: "1000",
  BUN_JSC_thresholdForOptimizeAfterWarmUp: "20000",
  BUN_JSC_thresholdForOptimizeAfterLongWarmUp: "20000",
  BUN_JSC_thresholdForOptimizeSoon: "5000",
  BUN_JSC_thresholdForFTLOptimizeAfterWarmUp: "1000000",
  BUN_JSC_thresholdForFTLOptimizeSoon: "100000",
} as const;
