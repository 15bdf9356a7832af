import { cyclonusCases } from "./cyclonus.ts";
import type { SuiteCase } from "./suite-case.ts";
import { upstreamCases } from "./upstream.ts";

export { applied, type ClusterJson, startingCluster, startingPods } from "./cluster-json.ts";
export type { Action, PodName, Probe, Step, SuiteCase } from "./suite-case.ts";

/** All cases of both suites, 48 and 230. */
export const suiteCases: readonly SuiteCase[] = [...upstreamCases, ...cyclonusCases];
