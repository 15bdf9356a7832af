import { describe, expect, test } from "bun:test";
import { formerPaths, imageName } from "../../build/image.ts";
import { agentSettings } from "../../lib/kubernetes/agent/agent-settings.ts";
import * as resources from "../../lib/kubernetes/resources.ts";
import { resourceName } from "../../lib/kubernetes/resources.ts";
import { strategicMerge } from "../kubernetes/merge-patch.ts";
import { chart, rendered, textOf } from "./chart.ts";

const yaml = (text: string): unknown => Bun.YAML.parse(text);

interface Rule {
  readonly apiGroups: readonly string[];
  readonly resources: readonly string[];
  readonly resourceNames?: readonly string[];
  readonly verbs: readonly string[];
}

interface Container {
  readonly name: string;
  readonly image: string;
  readonly command: readonly string[];
  readonly env?: readonly { readonly name: string; readonly value?: string }[];
  readonly volumeMounts: readonly { readonly name: string; readonly mountPath: string }[];
  readonly securityContext: { readonly privileged?: boolean };
  readonly readinessProbe?: unknown;
}

interface Manifest {
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly namespace?: string };
  readonly rules?: readonly Rule[];
  readonly spec: {
    readonly selector: unknown;
    readonly template: {
      readonly spec: {
        readonly hostPID?: boolean;
        readonly initContainers: readonly Container[];
        readonly containers: readonly Container[];
        readonly volumes: readonly { readonly name: string }[];
      };
    };
  };
}

const manifests = yaml(textOf("kubernetes/weave.yaml")) as Manifest[];
const kindOf = (kind: string): Manifest => manifests.find((each) => each.kind === kind)!;
const daemonSet = kindOf("DaemonSet");
const { initContainers, containers, volumes } = daemonSet.spec.template.spec;
const all = [...initContainers, ...containers];

describe("the manifest", () => {
  test("takes the place of that of Weave Net 2.x, by the same names", () => {
    const names = manifests.map(({ kind, metadata }) => [kind, metadata.name, metadata.namespace]);
    expect(names).toEqual([
      ["ServiceAccount", "weave-net", "kube-system"],
      ["ClusterRole", "weave-net", undefined],
      ["ClusterRoleBinding", "weave-net", undefined],
      ["Role", "weave-net", "kube-system"],
      ["RoleBinding", "weave-net", "kube-system"],
      ["DaemonSet", "weave-net", "kube-system"],
    ]);
    expect(daemonSet.spec.selector).toEqual({ matchLabels: { name: "weave-net" } });
    expect(all.map(({ name }) => name)).toEqual(["weave-init", "weave"]);
  });

  test("asks for no more than is used of the API, and for all of that", () => {
    const followed = [
      ...[resources.nodes, resources.pods, resources.namespaces, resources.networkPolicies],
      ...[resources.adminNetworkPolicies, resources.baselineAdminNetworkPolicies],
    ];
    const rules = kindOf("ClusterRole").rules!;
    const allowed = rules.flatMap(({ apiGroups, resources: plurals, verbs }) =>
      apiGroups.flatMap((group) =>
        plurals.map((plural) => [group === "" ? plural : `${plural}.${group}`, verbs] as const),
      ),
    );
    const reading = ["get", "list", "watch"];
    const wanted = followed.map((each) => [resourceName(each), reading] as const);
    const sorted = (rights: readonly (readonly [string, readonly string[]])[]) =>
      rights.toSorted(([a], [b]) => a.localeCompare(b));
    expect(sorted(allowed)).toEqual(sorted([...wanted, ["nodes/status", ["patch"]]]));
    expect(kindOf("Role").rules).toEqual([
      {
        ...{ apiGroups: [""], resources: ["configmaps"], resourceNames: ["weave-net"] },
        verbs: ["get", "update"],
      },
      { apiGroups: [""], resources: ["configmaps"], verbs: ["create"] },
    ]);
  });

  test("runs the image of this version, without the privileges of a process of the node", () => {
    expect(all.map(({ image }) => image)).toEqual([imageName(), imageName()]);
    expect(all.some(({ securityContext }) => securityContext.privileged === true)).toBe(false);
    expect(daemonSet.spec.template.spec.hostPID).toBeUndefined();
  });

  test("mounts what the agent looks for, where it looks by default", () => {
    const names = new Set(volumes.map(({ name }) => name));
    for (const { volumeMounts } of all) {
      for (const { name } of volumeMounts) expect([name, names.has(name)]).toEqual([name, true]);
    }
    const { stateDir, hostRoot } = agentSettings({});
    const places = containers[0]!.volumeMounts.map(({ mountPath }) => mountPath);
    for (const path of ["/opt/cni/bin", "/etc/cni/net.d", "/etc/machine-id", "/proc/sys"]) {
      expect(places).toContain(hostRoot + path);
    }
    expect(places).toContain(stateDir);
    expect(places).toContain("/run/netns");
  });

  test("is what the chart renders to when nothing is changed", () => {
    expect(rendered("weave.yaml")).toEqual(manifests);
  });

  test("is the one resource of its kustomization", () => {
    expect(yaml(textOf("kubernetes/kustomization.yaml"))).toMatchObject({
      resources: ["weave.yaml"],
    });
  });

  test("becomes by a patch what takes everything away", () => {
    const patch = yaml(textOf("kubernetes/uninstall.yaml")) as Record<string, unknown>;
    const patched: unknown = strategicMerge({ ...daemonSet }, patch);
    const { spec } = (patched as Manifest).spec.template;
    const commands = [...spec.containers].map(({ command }) => command.slice(1));
    expect(commands).toEqual([["kube", "uninstall", "--stay"]]);
    expect(spec.containers[0]!.readinessProbe).toBeUndefined();
    expect(spec.containers[0]!.image).toBe(imageName());
  });
});

describe("the chart", () => {
  test("has its values in the manifest", () => {
    const manifest = JSON.stringify(
      rendered("weave.yaml", {
        image: { repository: "registry.example/weave", tag: "9.9", pullPolicy: "Always" },
        env: { IPALLOC_RANGE: "10.48.0.0/12", CONN_LIMIT: "500" },
        passwordSecret: { name: "secret", key: "word", optional: false },
        maxUnavailable: "20%",
        requests: { cpu: "1", memory: "1Gi" },
        host: { state: "/data", plugins: "/home/kubernetes/bin", networks: "/etc/net.d" },
      }),
    );
    for (const text of [
      ...['"image":"registry.example/weave:9.9"', '"imagePullPolicy":"Always"'],
      ...['{"name":"CONN_LIMIT","value":"500"},{"name":"IPALLOC_RANGE","value":"10.48.0.0/12"}'],
      ...['{"name":"secret","key":"word","optional":false}', '"maxUnavailable":"20%"'],
      ...['"memory":"1Gi"', '"path":"/data"', '"path":"/home/kubernetes/bin"'],
    ]) {
      expect(manifest).toContain(text);
    }
  });

  test("is of this version", () => {
    const { version, appVersion } = chart;
    expect([`weave:${version}`, `weave:${appVersion}`]).toEqual([imageName(), imageName()]);
  });
});

test("the Dockerfile makes the image that is made without an engine", () => {
  const text = textOf("image/Dockerfile");
  expect(text).toContain(`--tag ${imageName()} `);
  for (const path of formerPaths) expect(text).toContain(path.slice(path.lastIndexOf("/") + 1));
  expect(text).toContain('ENTRYPOINT ["/usr/local/bin/weave"]\nCMD ["kube"]');
});
