import { describe, expect, test } from "bun:test";
import { distributed, measured } from "../../../lib/api/metrics/measurement.ts";
import { counter, gauge } from "../../../lib/api/metrics/metric-spec.ts";
import { metricTable } from "../../../lib/api/metrics/metric-table.ts";
import { prometheusText } from "../../../lib/api/metrics/prometheus-text.ts";
import { parseExposition } from "../prometheus-parser.ts";

describe("the text format", () => {
  test("escapes what must be escaped, and nothing else", () => {
    const labels = { b: 'say "a\\b"\n', a: "\u00fc\t" };
    const text = prometheusText([measured("weave_ips", 1.5e300, labels)], {
      weave_ips: gauge('a "help"\\\n'),
    });
    expect(text).toBe(
      '# HELP weave_ips a "help"\\\\\\n\n# TYPE weave_ips gauge\n' +
        'weave_ips{a="\u00fc\t",b="say \\"a\\\\b\\"\\n"} 1.5e+300\n',
    );
    expect(parseExposition(text).size).toBe(1);
  });

  test("keeps a family together and writes numbers as Prometheus reads them", () => {
    const text = prometheusText(
      [
        measured("weave_ips", Number.POSITIVE_INFINITY, { state: "1" }),
        measured("weave_max_ips", Number.NaN),
        measured("weave_ips", Number.NEGATIVE_INFINITY, { state: "2" }),
        measured("weave_ready", true),
      ],
      {
        weave_ips: counter("h", { seriesMax: 2 }),
        weave_max_ips: counter("h"),
        weave_ready: gauge("h"),
      },
    );
    expect(text).toBe(
      '# HELP weave_ips h\n# TYPE weave_ips counter\nweave_ips{state="1"} +Inf\n' +
        'weave_ips{state="2"} -Inf\n# HELP weave_max_ips h\n# TYPE weave_max_ips counter\n' +
        "weave_max_ips NaN\n# HELP weave_ready h\n# TYPE weave_ready gauge\nweave_ready 1\n",
    );
  });

  test("adds up the ranges of a histogram, the last of them without bound", () => {
    const reading = { bounds: [0.001, 0.5], counts: [5, 0, 1], sum: 1.25, count: 6 };
    const text = prometheusText([
      distributed("weave_attach_seconds", reading, { by: "cni" }),
      distributed("weave_attach_seconds", reading, { zone: "z" }),
    ]);
    expect(text.split("\n").slice(2)).toEqual([
      'weave_attach_seconds_bucket{by="cni",le="0.001"} 5',
      'weave_attach_seconds_bucket{by="cni",le="0.5"} 5',
      'weave_attach_seconds_bucket{by="cni",le="+Inf"} 6',
      'weave_attach_seconds_sum{by="cni"} 1.25',
      'weave_attach_seconds_count{by="cni"} 6',
      'weave_attach_seconds_bucket{zone="z",le="0.001"} 5',
      'weave_attach_seconds_bucket{zone="z",le="0.5"} 5',
      'weave_attach_seconds_bucket{zone="z",le="+Inf"} 6',
      'weave_attach_seconds_sum{zone="z"} 1.25',
      'weave_attach_seconds_count{zone="z"} 6',
      "",
    ]);
    expect(parseExposition(text).get("weave_attach_seconds")?.samples.size).toBe(10);
  });

  test("has no more series of a name than the table allows, whatever words others choose", () => {
    const words = Array.from({ length: 1000 }, (_, at) => `word/${at}`);
    const series = words.map((extension) =>
      measured("weave_connection_extensions", 1, { extension }),
    );
    const family = parseExposition(prometheusText(series)).get("weave_connection_extensions");
    expect(family?.samples.size).toBe(metricTable.weave_connection_extensions.seriesMax!);
  });
});
