import { describe, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { findCommand } from "../../lib/cli/command-table.ts";
import { alertCases } from "../alerts/alert-cases.ts";
import { metricNames, unknownMetrics } from "./prom-names.ts";

const root = join(import.meta.dir, "../..");
const textOf = (path: string): string => readFileSync(join(root, path), "utf8");

interface Rule {
  readonly alert: string;
  readonly expr: string;
  readonly labels: { readonly severity: string };
  readonly annotations: { readonly summary: string; readonly description: string };
}

interface Rules {
  readonly groups: readonly { readonly name: string; readonly rules: readonly Rule[] }[];
}

const document = Bun.YAML.parse(textOf("deploy/prometheus/weave.rules.yaml")) as Rules;
const rules = document.groups.flatMap((group) => group.rules);

describe("the rules for alerts", () => {
  test("go by metrics that routers have", () => {
    expect(rules.length).toBeGreaterThan(40);
    expect(rules.flatMap(({ expr }) => unknownMetrics(expr))).toEqual([]);
    expect(rules.filter(({ expr }) => metricNames(expr).length === 0)).toEqual([]);
  });

  test("have one name each, a severity, and say what is wrong and what to do next", () => {
    expect(new Set(rules.map(({ alert }) => alert)).size).toBe(rules.length);
    for (const { alert, labels, annotations } of rules) {
      expect(alert).toMatch(/^Weave[A-Z]/);
      expect(["critical", "warning", "info"]).toContain(labels.severity);
      expect(annotations.summary.length).toBeLessThan(120);
      expect(annotations.description.length).toBeGreaterThan(30);
    }
  });

  test("name commands that there are", () => {
    const commands = rules.flatMap(({ annotations }) =>
      [...annotations.description.matchAll(/`weave\s+([a-z-]+)/g)].map(([, word]) => word!),
    );
    expect(commands.length).toBeGreaterThan(30);
    expect(commands.filter((word) => findCommand(word) === undefined)).toEqual([]);
  });

  test("are each tested with what lets them fire and what does not", () => {
    const tested = new Set(alertCases.map(({ alert }) => alert));
    expect(rules.map(({ alert }) => alert).filter((alert) => !tested.has(alert))).toEqual([]);
    expect(tested.size).toBe(rules.length);
  });

  test("are listed by docs/metrics.md, with their severities", () => {
    const page = textOf("docs/metrics.md");
    const missing = rules.filter(
      ({ alert, labels }) => !page.includes(`| \`${alert}\` | ${labels.severity} |`),
    );
    expect(missing.map(({ alert }) => alert)).toEqual([]);
  });
});
