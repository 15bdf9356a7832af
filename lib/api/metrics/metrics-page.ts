import { markdownRow } from "../markdown-row.ts";
import type { MetricSpec } from "./metric-spec.ts";
import { metricSections } from "./metric-table.ts";

const [begin, end] = ["<!-- metrics -->", "<!-- /metrics -->"];

/** docs/metrics.md with the tables of all metrics in place of those that it has. */
export function withMetricTables(page: string): string {
  const [from, to] = [page.indexOf(begin), page.indexOf(end)];
  return `${page.slice(0, from + begin.length)}\n${metricTables()}${page.slice(to)}`;
}

function metricTables(): string {
  return Object.entries(metricSections)
    .map(([title, metrics]) => {
      const rows = Object.entries(metrics).map(([name, spec]) => row(name, spec));
      const head = [
        "| Metric | Type | Unit | What it says | Labels | Series |",
        "|---|---|---|---|---|---|",
      ];
      return `### ${title}\n\n${[...head, ...rows].join("\n")}\n`;
    })
    .join("\n");
}

function row(name: string, { type, unit, help, labels = {}, seriesMax = 1 }: MetricSpec): string {
  const said = Object.entries(labels).map(([label, meaning]) => `\`${label}\`: ${meaning}`);
  return markdownRow([
    `\`${name}\``,
    type,
    unit === "one" ? "" : unit,
    help,
    said.join("<br>"),
    String(seriesMax),
  ]);
}
