import { readFileSync } from "node:fs";
import { join } from "node:path";

/** What of a dashboard of Grafana is looked at. */
export interface Dashboard {
  readonly uid: string;
  readonly panels: readonly Panel[];
  readonly templating: { readonly list: readonly { name: string; type: string }[] };
  readonly annotations: { readonly list: readonly { expr: string }[] };
}

export interface Panel {
  readonly id: number;
  readonly type: string;
  readonly title: string;
  readonly gridPos: {
    readonly h: number;
    readonly w: number;
    readonly x: number;
    readonly y: number;
  };
  readonly datasource?: { readonly uid: string };
  readonly fieldConfig?: { readonly defaults: { readonly unit?: string } };
  readonly targets?: readonly Target[];
}

export interface Target {
  readonly refId: string;
  readonly expr: string;
  readonly datasource: { readonly uid: string };
}

export function readDashboard(): Dashboard {
  const path = join(import.meta.dir, "../../deploy/grafana/weave.json");
  return JSON.parse(readFileSync(path, "utf8"));
}

/** What its panels ask, with the variables as Grafana might fill them in. */
export function dashboardExpressions(): string[] {
  const { panels, annotations } = readDashboard();
  const asked = panels.flatMap(({ targets = [] }) => targets.map(({ expr }) => expr));
  return [...asked, ...annotations.list.map(({ expr }) => expr)].map((expr) =>
    expr
      .replaceAll("$__rate_interval", "5m")
      .replaceAll("$instance", "host1|host2")
      .replaceAll("$job", "weave"),
  );
}
