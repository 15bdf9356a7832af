import type { MetricSpec } from "./metric-spec.ts";
import { addressMetrics } from "./table/address-metrics.ts";
import { connectionMetrics } from "./table/connection-metrics.ts";
import { containerMetrics } from "./table/container-metrics.ts";
import { frameMetrics } from "./table/frame-metrics.ts";
import { nameMetrics } from "./table/name-metrics.ts";
import { policyMetrics } from "./table/policy-metrics.ts";
import { processMetrics } from "./table/process-metrics.ts";

/** Every metric, by what it is about, in the order in which docs/metrics.md has them. */
export const metricSections = {
  "Connections to other hosts": connectionMetrics,
  "Frames of containers": frameMetrics,
  "Addresses of containers": addressMetrics,
  Names: nameMetrics,
  Policies: policyMetrics,
  "Containers, engines and clusters": containerMetrics,
  "The router itself": processMetrics,
} as const satisfies Readonly<Record<string, Readonly<Record<string, MetricSpec>>>>;

/** Every metric. What is not in it does not exist. */
export const metricTable = {
  ...connectionMetrics,
  ...frameMetrics,
  ...addressMetrics,
  ...nameMetrics,
  ...policyMetrics,
  ...containerMetrics,
  ...processMetrics,
};

export type MetricName = keyof typeof metricTable;

export function isMetric(name: string): name is MetricName {
  return Object.hasOwn(metricTable, name);
}
