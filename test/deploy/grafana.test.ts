import { describe, expect, test } from "bun:test";
import { dashboardExpressions, type Panel, readDashboard } from "./dashboard.ts";
import { metricNames, unknownMetrics } from "./prom-names.ts";

const dashboard = readDashboard();
const panels: readonly Panel[] = dashboard.panels;
const shown = panels.filter(({ type }) => type !== "row");

describe("the dashboard of Grafana", () => {
  test("has rows for the cluster, links, addresses, names, policies, containers and routers", () => {
    const rows = panels.filter(({ type }) => type === "row").map(({ title }) => title);
    expect(rows).toEqual([
      ...["Cluster", "Links", "Addresses", "Names", "Policies", "Containers", "Routers"],
    ]);
  });

  test("has each id once, and no two panels in one place", () => {
    expect(new Set(panels.map(({ id }) => id)).size).toBe(panels.length);
    const cells = panels.flatMap(({ gridPos: { x, y, w, h } }) =>
      Array.from({ length: w * h }, (_, at) => `${x + (at % w)} ${y + Math.floor(at / w)}`),
    );
    expect(new Set(cells).size).toBe(cells.length);
    expect(panels.filter(({ gridPos: { x, w } }) => x + w > 24)).toEqual([]);
  });

  test("asks for nothing that no router has, and each panel for something", () => {
    expect(dashboardExpressions().flatMap(unknownMetrics)).toEqual([]);
    const asking = shown.map(({ targets = [] }) =>
      targets.flatMap(({ expr }) => metricNames(expr)),
    );
    expect(asking.filter((names) => names.length === 0)).toEqual([]);
  });

  test("says in which unit everything is", () => {
    const without = shown.filter(({ fieldConfig }) => fieldConfig?.defaults.unit === undefined);
    expect(without.map(({ title }) => title)).toEqual([]);
  });

  test("goes by the data source, network and hosts that somebody chooses", () => {
    expect(dashboard.templating.list.map(({ name }) => name)).toEqual([
      ...["datasource", "job", "instance"],
    ]);
    const sources = shown.flatMap(({ datasource, targets = [] }) => [
      ...[datasource, ...targets.map((target) => target.datasource)].map((each) => each?.uid),
    ]);
    expect(new Set(sources)).toEqual(new Set([`$\{datasource}`]));
    const asked = shown.flatMap(({ targets = [] }) => targets.map(({ expr }) => expr));
    const chosen = 'job=~"$job",instance=~"$instance"';
    expect(asked.filter((expr) => !expr.includes(chosen))).toEqual([]);
  });
});
