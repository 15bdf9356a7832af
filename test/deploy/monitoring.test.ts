import { describe, expect, test } from "bun:test";
import { monitoringFiles } from "../../build/monitoring.ts";
import { defaultValues, rendered, textOf, type Values } from "./chart.ts";

interface Manifest {
  readonly kind: string;
  readonly metadata: {
    readonly name: string;
    readonly namespace: string;
    readonly labels: Readonly<Record<string, string>>;
  };
  readonly spec?: unknown;
  readonly data?: Readonly<Record<string, string>>;
}

const folder = "kubernetes/monitoring";
const yaml = (path: string): unknown => Bun.YAML.parse(textOf(path));
const operator = yaml(`${folder}/operator.yaml`) as Manifest[];
const dashboard = yaml(`${folder}/dashboard.yaml`) as Manifest;

const enabled = (changed: Values = {}): Values => ({
  monitoring: { ...(defaultValues.monitoring as Values), enabled: true, ...changed },
});

describe("what the operator of Prometheus gets in Kubernetes", () => {
  const spec = (kind: string) => operator.find((each) => each.kind === kind)?.spec;

  test("are the same rules", () => {
    expect(operator.map(({ kind }) => kind)).toEqual(["PodMonitor", "PrometheusRule"]);
    expect(spec("PrometheusRule")).toEqual(yaml("prometheus/weave.rules.yaml"));
  });

  test("are pods and ports that the manifest has, in a job that the rules go by", () => {
    const pods = textOf("kubernetes/weave.yaml");
    expect(spec("PodMonitor")).toMatchObject({
      selector: { matchLabels: { name: "weave-net" } },
      podMetricsEndpoints: [{ port: "metrics", relabelings: [{ replacement: "weave" }, {}] }],
    });
    expect(pods).toContain("- name: metrics\n              containerPort: 6782");
    expect(pods).toContain("name: weave-net");
  });
});

describe("what Grafana gets in Kubernetes", () => {
  test("is the same dashboard, where its sidecar looks", () => {
    expect(JSON.parse(dashboard.data!["weave.json"]!)).toEqual(
      JSON.parse(textOf("grafana/weave.json")),
    );
    expect(dashboard.metadata.labels).toHaveProperty("grafana_dashboard", "1");
  });

  test("does not take the place of the list of peers", () => {
    expect(dashboard.metadata.name).not.toBe("weave-net");
  });
});

test("kustomize takes all of it", () => {
  expect(yaml(`${folder}/kustomization.yaml`)).toMatchObject({
    kind: "Kustomization",
    resources: ["operator.yaml", "dashboard.yaml"],
  });
});

describe("the chart", () => {
  test("has nothing of that unless it is asked for", () => {
    expect([rendered("monitoring.yaml"), rendered("dashboard.yaml")]).toEqual([null, null]);
  });

  test("has the same when monitoring is enabled", () => {
    expect(rendered("monitoring.yaml", enabled())).toEqual(operator);
    expect(rendered("dashboard.yaml", enabled())).toEqual(dashboard);
  });

  test("has its values in it", () => {
    const values = enabled({
      namespace: "observability",
      interval: "15s",
      labels: { release: "prometheus", "example.org/team": "1" },
      dashboardLabels: { dashboards: "true" },
    });
    const objects = rendered("monitoring.yaml", values) as Manifest[];
    for (const { metadata } of objects) {
      expect(metadata).toEqual({
        name: "weave-net",
        namespace: "observability",
        labels: { name: "weave-net", release: "prometheus", "example.org/team": "1" },
      });
    }
    expect(objects[0]!.spec).toMatchObject({
      namespaceSelector: { matchNames: ["kube-system"] },
      podMetricsEndpoints: [{ interval: "15s" }],
    });
    expect(objects[1]!.spec).toEqual(yaml("prometheus/weave.rules.yaml"));
    expect((rendered("dashboard.yaml", values) as Manifest).metadata).toEqual({
      name: "weave-net-dashboard",
      namespace: "observability",
      labels: { name: "weave-net", dashboards: "true" },
    });
  });
});

test("a manifest in which a value finds no place is refused", () => {
  const changed = (path: string): string =>
    textOf(path.replace("deploy/", "")).replace("interval: 30s", "interval: 1m");
  expect(() => monitoringFiles(changed)).toThrow("is there 0 times instead of 1");
});
