import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { dashboardExpressions } from "../deploy/dashboard.ts";
import { run } from "../hosts/shell.ts";
import { type AlertCase, alertCases, type Series } from "./alert-cases.ts";
import { promtool } from "./promtool.ts";

const rules = resolve("deploy/prometheus/weave.rules.yaml");
const folder = mkdtempSync(join(tmpdir(), "weave-alerts-"));
afterAll(() => rmSync(folder, { recursive: true }));

async function runs(...words: readonly string[]): Promise<void> {
  const { code, stdout, stderr } = await run([promtool(), ...words]);
  expect(`${code} ${code === 0 ? "" : stdout + stderr}`).toBe("0 ");
}

/** JSON is YAML. */
function written(name: string, document: unknown): string {
  const path = join(folder, name);
  writeFileSync(path, JSON.stringify(document));
  return path;
}

/** Whether the alert is firing then, by how many series of its own Prometheus has. */
function group(
  { alert, after, every = 1 }: AlertCase,
  series: readonly Series[],
  isFiring: boolean,
) {
  const samples = isFiring ? [{ labels: "{}", value: 1 }] : [];
  return {
    name: `${alert}, ${isFiring ? "firing" : "calm"}`,
    interval: `${every}m`,
    input_series: series.map(([name, values]) => ({ series: name, values })),
    promql_expr_test: [
      {
        expr: `group(ALERTS{alertname="${alert}",alertstate="firing"})`,
        eval_time: `${after}m`,
        exp_samples: samples,
      },
    ],
  };
}

describe("the rules for alerts", () => {
  test("are what Prometheus takes", () => runs("check", "rules", rules));

  test("are found by the example of a configuration", () =>
    runs("check", "config", resolve("deploy/prometheus/prometheus.yaml")));

  for (const [at, each] of alertCases.entries()) {
    test(`${each.alert} fires when it should, and not otherwise (${at})`, () =>
      runs(
        ...["test", "rules"],
        written(`${at}.json`, {
          rule_files: [rules],
          evaluation_interval: `${each.every ?? 1}m`,
          tests: [group(each, each.firing, true), group(each, each.calm, false)],
        }),
      ));
  }
});

describe("the dashboard", () => {
  let expressions: readonly string[];
  beforeAll(() => {
    expressions = dashboardExpressions();
  });

  test("asks what Prometheus understands", async () => {
    expect(expressions.length).toBeGreaterThan(30);
    const records = expressions.map((expr, at) => ({ record: `panel:${at}`, expr }));
    await runs(
      ...["check", "rules"],
      written("dashboard.json", { groups: [{ name: "dashboard", rules: records }] }),
    );
  });
});
