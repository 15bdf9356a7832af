import type { HistogramReading } from "../../base/histogram.ts";
import type { MetricName } from "./metric-table.ts";

/** One series of a metric and its value now. */
export type Measurement = Sample | Distribution;

export type Labels = Readonly<Record<string, string>>;

export interface Sample {
  readonly name: MetricName;
  readonly labels?: Labels;
  readonly value: number;
}

/** Of a histogram. */
export interface Distribution {
  readonly name: MetricName;
  readonly labels?: Labels;
  readonly reading: HistogramReading;
}

export function measured(name: MetricName, value: number | boolean, labels?: Labels): Sample {
  return { name, value: Number(value), ...(labels !== undefined && { labels }) };
}

export function distributed(
  name: MetricName,
  reading: HistogramReading,
  labels?: Labels,
): Distribution {
  return { name, reading, ...(labels !== undefined && { labels }) };
}
