import type { MetricSpec } from "../../lib/api/metrics/metric-spec.ts";
import { metricTable } from "../../lib/api/metrics/metric-table.ts";

/** Of Prometheus itself. */
const others = ["up", "ALERTS"];

/** Names of metrics in an expression: words that are no functions, labels or values. */
export function metricNames(expression: string): string[] {
  const bare = expression
    .replaceAll(/"[^"]*"/g, "")
    .replaceAll(/\{[^}]*\}/g, "")
    .replaceAll(/\b(by|on|without|ignoring|group_left|group_right)\s*\([^)]*\)/g, "");
  const words = [...bare.matchAll(/[a-zA-Z_:][a-zA-Z0-9_:]*(?!\s*\(|[a-zA-Z0-9_:])/g)];
  return words.map(([word]) => word).filter((word) => /^(weave|process_|up$|ALERTS$)/.test(word));
}

/** Those that no router has. */
export function unknownMetrics(expression: string): string[] {
  return metricNames(expression).filter((name) => !others.includes(name) && !isKnown(name));
}

function isKnown(name: string): boolean {
  const table: Readonly<Record<string, MetricSpec>> = metricTable;
  const stem = name.replace(/_(bucket|sum|count)$/, "");
  return table[stem]?.type === "histogram" ? stem !== name : Object.hasOwn(table, name);
}
