import { describe, expect, test } from "bun:test";
import type { MetricSpec } from "../../../lib/api/metrics/metric-spec.ts";
import { metricSections, metricTable } from "../../../lib/api/metrics/metric-table.ts";

/** What one histogram takes at most: its ranges, the sum and the number. */
const histogramLinesMax = 14;
const seriesMax = 2000;

const metrics: [string, MetricSpec][] = Object.entries(metricTable);

describe("the table of metrics", () => {
  test("has each name once", () => {
    const names = Object.values(metricSections).flatMap((section) => Object.keys(section));
    expect(names).toHaveLength(new Set(names).size);
    expect(names.sort()).toEqual(metrics.map(([name]) => name).sort());
  });

  test("allows no router more than two thousand series, all bounds together", () => {
    const lines = metrics.map(
      ([, { type, seriesMax = 1 }]) => seriesMax * (type === "histogram" ? histogramLinesMax : 1),
    );
    expect(lines.reduce((sum, count) => sum + count)).toBeLessThan(seriesMax);
  });

  test("has a bound wherever there are labels, and none where there are not", () => {
    const few = ["weave_ips", "weave_datapath_info", "weave_build_info"];
    const unbounded = metrics.filter(
      ([name, { labels, seriesMax }]) =>
        (labels === undefined) !== (seriesMax === undefined) && !few.includes(name),
    );
    expect(unbounded.map(([name]) => name)).toEqual([]);
  });

  test("names metrics as Prometheus has them named", () => {
    const ofTheOriginal = ["weavenpc_policy_enforcement_errors"];
    const misnamed = metrics.filter(([name, { type, unit }]) => {
      if (ofTheOriginal.includes(name) || !/^[a-z][a-z0-9_]*$/.test(name)) return false;
      if ((type === "counter") !== name.endsWith("_total")) return true;
      const stem = name.replace(/_total$/, "");
      if (unit === "bytes") return !/_(bytes|octets_(in|out))$/.test(stem);
      if (unit === "seconds") return !stem.endsWith("_seconds");
      return unit === "timestamp" && !stem.endsWith("_time_seconds");
    });
    expect(misnamed.map(([name]) => name)).toEqual([]);
  });
});
