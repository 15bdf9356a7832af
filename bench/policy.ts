import { PolicyCompiler } from "../lib/policy/compiler.ts";
import { namespaceOf } from "../lib/policy/labels.ts";
import type { NetworkPolicy, Pod, Selector } from "../lib/policy/objects.ts";
import type { RuleSetChange } from "../lib/policy/rule-set.ts";
import { inTurn, shown } from "./measure.ts";

/**
 * What compiling policies into rules costs: all of 1000 policies and 1000 pods at once, and one event
 * after that (kubernetes.md §13: below 5 s and 50 ms), in milliseconds of processor time.
 *
 *   bun run bench policy
 *
 * `spread`: of 20 namespaces, each policy selects a few pods and allows some of other namespaces.
 * `dense`: all in one namespace, each policy selects half of the pods by a selector of its own.
 */
const policies = 1_000;
const pods = 1_000;
const namespaces = 20;
const rounds = 3;

const shapes = {
  spread: { pod: spreadPod, policy: spreadPolicy },
  dense: { pod: densePod, policy: densePolicy },
} as const;

type Shape = keyof typeof shapes;

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

function full(shape: Shape): PolicyCompiler {
  const compiler = new PolicyCompiler();
  for (let at = 0; at < namespaces; at++) {
    compiler.putNamespace(namespaceOf(`namespace-${at}`, { team: `team-${at % 5}` }));
  }
  for (let at = 0; at < policies; at++) compiler.putNetworkPolicy(shapes[shape].policy(at));
  for (let at = 0; at < pods; at++) compiler.putPod(shapes[shape].pod(at));
  compiler.commit();
  return compiler;
}

/** Processor time, garbage collection included: other work on the machine is no part of it. */
async function processorMs(action: () => unknown): Promise<number> {
  const before = process.cpuUsage();
  await action();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1000;
}

function sizeOf(change: RuleSetChange | undefined): number {
  if (change === undefined) return 0;
  const { sets, chains, targets } = change;
  return sets.change.size + sets.add.size + chains.put.size + targets.ingress.put.size;
}

export async function benchPolicy(): Promise<void> {
  for (const shape of Object.keys(shapes) as Shape[]) {
    const compiler = full(shape);
    const { sets, chains, targets } = compiler.rules;
    const rules = [...chains.values()].reduce((sum, { tiers }) => sum + tiers.flat().length, 0);
    console.log(
      `${shape}: ${sets.size} sets, ${chains.size} chains of ${rules} rules, ${targets.ingress.size} addresses judged`,
    );
    const events: Record<string, () => unknown> = {
      "a pod that goes and comes": () => {
        compiler.removePod("500");
        compiler.commit();
        compiler.putPod(shapes[shape].pod(500));
        return compiler.commit();
      },
      "a pod that takes other labels": () => {
        compiler.putPod({ ...shapes[shape].pod(500), labels: shapes[shape].pod(501).labels });
        compiler.commit();
        compiler.putPod(shapes[shape].pod(500));
        return compiler.commit();
      },
      "a policy that goes and comes": () => {
        const policy = shapes[shape].policy(500);
        compiler.removeNetworkPolicy(policy.namespace, policy.name);
        compiler.commit();
        compiler.putNetworkPolicy(policy);
        return compiler.commit();
      },
      "a namespace that takes other labels": () => {
        compiler.putNamespace(namespaceOf("namespace-0", { team: "team-9" }));
        compiler.commit();
        compiler.putNamespace(namespaceOf("namespace-0", { team: "team-0" }));
        return compiler.commit();
      },
    };
    const all = { "all at once": () => full(shape), ...events };
    const timed = Object.fromEntries(
      Object.entries(all).map(([name, action]) => [name, () => processorMs(action)]),
    );
    for (const [name, times] of Object.entries(await inTurn(timed, rounds))) {
      const perEvent = name === "all at once" ? times : times.map((both) => both / 2);
      console.log(`${shape}: ${name}: ${shown(perEvent, 2)} ms`);
    }
    for (const [name, action] of Object.entries(events)) {
      console.log(
        `${shape}: ${name}: ${sizeOf(action() as RuleSetChange | undefined)} things change`,
      );
    }
  }
}
