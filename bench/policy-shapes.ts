import { PolicyCompiler } from "../lib/policy/compiler.ts";
import { namespaceOf } from "../lib/policy/labels.ts";
import type { NetworkPolicy, Pod, Selector } from "../lib/policy/objects.ts";

/**
 * Clusters with 1000 policies and 1000 pods, of which 100 are of this host:
 *
 *   spread   of 20 namespaces, each policy selects a few pods and allows some of other namespaces
 *   dense    all in one namespace, each policy selects half of the pods by a selector of its own, so
 *            that 500 policies are about each pod
 */
const policies = 1_000;
const pods = 1_000;
const namespaces = 20;

export const shapes = {
  spread: { pod: spreadPod, policy: spreadPolicy },
  dense: { pod: densePod, policy: densePolicy },
} as const;

export type Shape = keyof typeof shapes;

function has(key: string, ...values: string[]): Selector {
  return [{ key, operator: "In", values }];
}

function podOf(at: number, namespace: string, labels: Iterable<[string, string]>): Pod {
  return {
    ...{ id: `${at}`, namespace, name: `pod-${at}`, labels: new Map(labels) },
    addresses: [0x0a200000 + at],
    ports: [{ name: "web", protocol: "TCP", port: 8000 + (at % 10) }],
    ...{ isLocal: at % 10 === 0, sinceMs: at },
  };
}

function spreadPod(at: number): Pod {
  const labels: [string, string][] = [
    ["app", `app-${at % 100}`],
    ["tier", `tier-${at % 3}`],
  ];
  return podOf(at, `namespace-${at % namespaces}`, labels);
}

function spreadPolicy(at: number): NetworkPolicy {
  const team = has("team", `team-${at % 5}`);
  const client = {
    kind: "pods",
    namespaces: team,
    pods: has("app", `app-${(at * 7) % 100}`),
  } as const;
  const neighbour = {
    kind: "pods",
    namespaces: "own",
    pods: has("tier", `tier-${at % 3}`),
  } as const;
  const ports = [
    { kind: "name", protocol: "TCP", name: "web" } as const,
    { kind: "numbers", protocol: "TCP", first: 9000 + (at % 50), last: 9100 + (at % 50) } as const,
  ];
  return {
    ...{ namespace: `namespace-${at % namespaces}`, name: `policy-${at}` },
    podSelector: has("app", `app-${at % 100}`),
    ingress: [{ peers: [client, neighbour], ports }],
    egress: [{ peers: [neighbour], ports: "any" }],
  };
}

function densePod(at: number): Pod {
  const bits = Array.from({ length: 10 }, (_, bit): [string, string] => [
    ...([`bit-${bit}`, `${(at >> bit) & 1}`] as const),
  ]);
  return podOf(at, "namespace-0", [...bits, ["number", `${at}`]]);
}

function densePolicy(at: number): NetworkPolicy {
  const half = has(`bit-${at % 10}`, `${at & 1}`);
  const others: Selector = [{ key: "number", operator: "NotIn", values: [`${at}`] }];
  return {
    ...{ namespace: "namespace-0", name: `policy-${at}`, podSelector: [...half, ...others] },
    ingress: [
      {
        peers: [{ kind: "pods", namespaces: "own", pods: half }],
        ports: [{ kind: "numbers", protocol: "TCP", first: 80, last: 80 }],
      },
    ],
  };
}

export function full(shape: Shape): PolicyCompiler {
  const compiler = new PolicyCompiler();
  for (let at = 0; at < namespaces; at++) {
    compiler.putNamespace(namespaceOf(`namespace-${at}`, { team: `team-${at % 5}` }));
  }
  for (let at = 0; at < policies; at++) compiler.putNetworkPolicy(shapes[shape].policy(at));
  for (let at = 0; at < pods; at++) compiler.putPod(shapes[shape].pod(at));
  compiler.commit();
  return compiler;
}
