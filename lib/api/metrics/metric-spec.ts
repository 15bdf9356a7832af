/**
 * What there is to know about a metric besides its value: the table of them is made into the text
 * that `/metrics` answers, and into docs/metrics.md.
 */
export interface MetricSpec {
  readonly type: "gauge" | "counter" | "histogram";
  /** As Prometheus shows it; of the original where it had the metric (http-api §6, §7). */
  readonly help: string;
  readonly unit: MetricUnit;
  /** What each label says. */
  readonly labels?: Readonly<Record<string, string>>;
  /** Combinations of labels at most, on one router; 1 without labels. */
  readonly seriesMax?: number;
}

/** `one` counts things; `flag` is 0 or 1; a `timestamp` is seconds since 1970. */
export type MetricUnit = "one" | "flag" | "bytes" | "seconds" | "timestamp" | "percent";

/** Neighbours that have series of their own; the others are one, called `other`. */
export const neighbourSeriesMax = 45;
/** Neighbours whose clocks have: only those that are off do. */
export const clockSeriesMax = 8;
/** The same of peers that own addresses. */
export const ownerSeriesMax = 64;

type Rest = Partial<Pick<MetricSpec, "unit" | "labels" | "seriesMax">>;

export function gauge(help: string, rest: Rest = {}): MetricSpec {
  return { type: "gauge", help, unit: "one", ...rest };
}

export function counter(help: string, rest: Rest = {}): MetricSpec {
  return { type: "counter", help, unit: "one", ...rest };
}

export function histogram(help: string, rest: Rest = {}): MetricSpec {
  return { type: "histogram", help, unit: "seconds", ...rest };
}
