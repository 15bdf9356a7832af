import type { HistogramReading } from "../../base/histogram.ts";
import type { Distribution, Labels, Measurement } from "./measurement.ts";
import type { MetricSpec } from "./metric-spec.ts";
import { metricTable } from "./metric-table.ts";

/**
 * Prometheus text (exposition format 0.0.4):
 *
 *   # HELP weave_ips Number of IP addresses.
 *   # TYPE weave_ips gauge
 *   weave_ips{state="local-used"} 7
 *
 * and of a histogram, whose buckets each hold all those before them:
 *
 *   weave_dns_latency_seconds_bucket{le="0.001"} 5
 *   weave_dns_latency_seconds_bucket{le="+Inf"} 6
 *   weave_dns_latency_seconds_sum 0.31
 *   weave_dns_latency_seconds_count 6
 *
 * Series of one name form one family, wherever they stand in `series`, of no more of them than the
 * table allows: some labels are words that others choose.
 */
export function prometheusText(
  series: readonly Measurement[],
  table: Readonly<Record<string, MetricSpec>> = metricTable,
): string {
  return [...Map.groupBy(series, ({ name }) => name)]
    .map(([name, family]) => familyText(name, table[name]!, family))
    .join("");
}

function familyText(
  name: string,
  { help, type, seriesMax = 1 }: MetricSpec,
  family: readonly Measurement[],
): string {
  const lines = family
    .slice(0, seriesMax)
    .flatMap((each) =>
      "reading" in each ? distributionLines(each) : sampleLine(name, each.labels, each.value),
    );
  return `# HELP ${name} ${escaped(help)}\n# TYPE ${name} ${type}\n${lines.join("")}`;
}

function distributionLines({ name, labels, reading }: Distribution): string[] {
  return [
    ...cumulative(reading).map(([le, count]) =>
      sampleLine(`${name}_bucket`, { ...labels, le }, count),
    ),
    sampleLine(`${name}_sum`, labels, reading.sum),
    sampleLine(`${name}_count`, labels, reading.count),
  ];
}

function cumulative({ bounds, counts }: HistogramReading): [string, number][] {
  let sum = 0;
  return counts.map((count, range) => {
    sum += count;
    return [valueText(bounds[range] ?? Number.POSITIVE_INFINITY), sum];
  });
}

function sampleLine(name: string, labels: Labels | undefined, value: number): string {
  return `${name}${labelText(labels ?? {})} ${valueText(value)}\n`;
}

/** Sorted by name, as clients of Go write them; `le` last. */
function labelText(labels: Labels): string {
  const pairs = Object.entries(labels)
    .sort(([a], [b]) => (a !== "le" && (a < b || b === "le") ? -1 : 1))
    .map(([key, value]) => `${key}="${escaped(value).replaceAll('"', '\\"')}"`);
  return pairs.length === 0 ? "" : `{${pairs.join(",")}}`;
}

function escaped(text: string): string {
  return text.replaceAll("\\", "\\\\").replaceAll("\n", "\\n");
}

function valueText(value: number): string {
  if (value === Number.POSITIVE_INFINITY) return "+Inf";
  return value === Number.NEGATIVE_INFINITY ? "-Inf" : String(value);
}
