import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { run } from "../hosts/shell.ts";
import type { Alert, Incident } from "./incidents.ts";

/** Texts of `/metrics` of a host, one after the other. */
export interface Scrapes {
  /** While all was in order. */
  readonly before: string;
  /** Two of what went on after that: from the first to the second a minute is taken to have gone by. */
  readonly after: readonly [string, string];
}

/** Labels that a scrape adds. */
const target = 'job="weave",instance="host1"';

const minutesBefore = 15;
const minutesAfter = 45;

/**
 * Asks promtool whether the alerts of an incident and no others fire in the course of what was scraped, and none before.
 *
 * @returns what promtool has to say against it; empty where it is so
 */
export async function contradiction(
  rules: string,
  scrapes: Scrapes,
  incident: Pick<Incident, "alerts" | "mayFire">,
): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), "weave-alerts-"));
  try {
    const file = join(folder, "test.json");
    writeFileSync(file, JSON.stringify(alertTest(rules, scrapes, incident)));
    const { code, stdout, stderr } = await run(["promtool", "test", "rules", file]);
    return code === 0 ? "" : `${stdout}${stderr}`;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function alertTest(
  rules: string,
  scrapes: Scrapes,
  { alerts, mayFire }: Pick<Incident, "alerts" | "mayFire">,
) {
  const which = `{alertstate="firing",alertname!="${mayFire ?? ""}"}`;
  const fired = (minute: number, forMinutes: number, expected: readonly Alert[]) => ({
    expr: `group by (alertname, code) (max_over_time(ALERTS${which}[${forMinutes}m]))`,
    eval_time: `${minute}m`,
    exp_samples: expected.map((alert) => ({ labels: labelsOf(alert), value: 1 })),
  });
  return {
    rule_files: [rules],
    evaluation_interval: "1m",
    tests: [
      {
        interval: "1m",
        input_series: seriesOf(scrapes),
        promql_expr_test: [
          fired(minutesBefore - 1, minutesBefore, []),
          fired(minutesBefore + minutesAfter - 1, minutesAfter, alerts),
        ],
      },
    ],
  };
}

function seriesOf({ before, after }: Scrapes) {
  const [earlier, first, second] = [before, ...after].map(samples) as [
    ReadonlyMap<string, number>,
    ReadonlyMap<string, number>,
    ReadonlyMap<string, number>,
  ];
  const names = new Set([...earlier.keys(), ...first.keys(), ...second.keys()]);
  const up = {
    series: `up{${target}}`,
    values: `1x${minutesBefore + minutesAfter}`,
  };
  return [
    up,
    ...[...names].map((name) => ({
      series: withLabels(name, target),
      values: `${constant(earlier.get(name))} ${goingOn(name, first.get(name), second.get(name))}`,
    })),
  ];
}

function constant(value: number | undefined): string {
  return value === undefined ? `_x${minutesBefore}` : `${value}x${minutesBefore - 1}`;
}

/** A gauge stays what it was in the end; what counts goes on as it did from scrape to scrape. */
function goingOn(name: string, first: number | undefined, second: number | undefined): string {
  if (second === undefined) return `_x${minutesAfter}`;
  const isCounter = /_(total|count|sum|bucket)(\{|$)/.test(name);
  const step = isCounter ? Math.max(0, second - (first ?? 0)) : 0;
  return `${second}+${step}x${minutesAfter - 1}`;
}

function labelsOf(alert: Alert): string {
  const labels = Object.entries(alert).map(([name, value]) => `${name}="${value}"`);
  return `{${labels.join(",")}}`;
}

function withLabels(series: string, labels: string): string {
  return series.endsWith("}") ? `${series.slice(0, -1)},${labels}}` : `${series}{${labels}}`;
}

/** Values of the text exposition format by series, as they stand there. */
function samples(text: string): ReadonlyMap<string, number> {
  const lines = text.split("\n").filter((line) => line !== "" && !line.startsWith("#"));
  return new Map(
    lines.map((line) => {
      const at = line.lastIndexOf(" ");
      return [line.slice(0, at), Number(line.slice(at + 1))] as const;
    }),
  );
}
