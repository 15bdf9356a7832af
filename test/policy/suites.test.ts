import { describe, expect, test } from "bun:test";
import type { HostIp } from "../../lib/base/ip.ts";
import { partyAt } from "../../lib/policy/cluster.ts";
import { PolicyCompiler } from "../../lib/policy/compiler.ts";
import { evaluate } from "../../lib/policy/verdict.ts";
import { FollowedRules } from "./apply-change.ts";
import { clusterFromJson, ipOf } from "./cluster-from-json.ts";
import { isLetThrough } from "./interpret.ts";
import { type ClusterJson, nameOf } from "./suites/cluster-json.ts";
import {
  applied,
  type PodName,
  type Probe,
  type SuiteCase,
  startingCluster,
  suiteCases,
} from "./suites/index.ts";

/** Whoever says what becomes of connections, and hears how the cluster changes. */
interface Judge {
  hear(cluster: ClusterJson): void;
  allows(source: HostIp, destination: HostIp, port: Pick<Probe, "protocol" | "port">): boolean;
}

function evaluator(): Judge {
  let cluster = clusterFromJson(startingCluster());
  return {
    hear: (json) => {
      cluster = clusterFromJson(json);
    },
    allows: (source, destination, port) =>
      evaluate(cluster, {
        source: partyAt(cluster, source),
        destination: partyAt(cluster, destination),
        port,
      }).allowed,
  };
}

/** A compiler that is told what has changed, and a packet filter that is told what follows. */
function packetFilter(): Judge {
  const compiler = new PolicyCompiler();
  const rules = new FollowedRules();
  let known = clusterFromJson({ namespaces: [], pods: [], policies: [] });
  return {
    hear: (json) => {
      const cluster = clusterFromJson(json);
      for (const each of cluster.pods) compiler.putPod(each);
      for (const each of cluster.networkPolicies) compiler.putNetworkPolicy(each);
      for (const each of cluster.namespaces) compiler.putNamespace(each);
      for (const { name } of gone(known.namespaces, cluster.namespaces, ({ name: of }) => of)) {
        compiler.removeNamespace(name);
      }
      for (const { id } of gone(known.pods, cluster.pods, (pod) => pod.id)) compiler.removePod(id);
      const policyKey = (of: { namespace: string; name: string }) => `${of.namespace}/${of.name}`;
      for (const each of gone(known.networkPolicies, cluster.networkPolicies, policyKey)) {
        compiler.removeNetworkPolicy(each.namespace, each.name);
      }
      known = cluster;
      rules.follow(compiler.commit());
    },
    allows: (source, destination, port) => isLetThrough(rules, { source, destination, port }),
  };
}

function gone<Item>(before: readonly Item[], now: readonly Item[], key: (item: Item) => string) {
  const kept = new Set(now.map(key));
  return before.filter((each) => !kept.has(key(each)));
}

/** Probes whose answer is another than the case says. */
function wrong({ steps }: SuiteCase, judge: Judge): Probe[] {
  let cluster = startingCluster();
  let made = 0;
  judge.hear(cluster);
  return steps((pod) => addressAtStart.get(pod)!).flatMap(({ actions, probes }) => {
    for (const action of actions) cluster = applied(cluster, action, () => `10.32.1.${++made}`);
    judge.hear(cluster);
    const now = new Map(cluster.pods.map((pod) => [nameOf(pod), pod.status.podIP]));
    const ipAt = (pod: PodName): HostIp => ipOf(now.get(pod)!);
    return probes.filter(
      ({ from, to, protocol, port, allowed }) =>
        judge.allows(ipAt(from), ipAt(to), { protocol, port }) !== allowed,
    );
  });
}

for (const suite of ["upstream", "cyclonus"] as const) {
  describe(`the suite ${suite}`, () => {
    for (const each of suiteCases.filter((one) => one.suite === suite)) {
      test(`${each.id}: ${each.title}`, () => {
        expect(wrong(each, evaluator())).toEqual([]);
        expect(wrong(each, packetFilter())).toEqual([]);
      });
    }
  });
}

const addressAtStart = new Map(
  startingCluster().pods.map((pod) => [nameOf(pod), pod.status.podIP]),
);

describe("the suites", () => {
  test("have all of their cases", () => {
    const counts = new Map<string, number>();
    for (const { id } of suiteCases) {
      const group = id.replace(/-\d+$/, "");
      counts.set(group, (counts.get(group) ?? 0) + 1);
    }
    expect(Object.fromEntries(counts)).toEqual({
      upstream: 48,
      ...{ "cyclonus-target": 6, "cyclonus-rules": 4, "cyclonus-peers": 112 },
      ...{ "cyclonus-port-protocol": 70, "cyclonus-action": 6, "cyclonus-conflict": 16 },
      ...{ "cyclonus-namespace": 2, "cyclonus-example": 1, "cyclonus-upstream": 13 },
    });
    expect(new Set(suiteCases.map(({ id }) => id)).size).toBe(48 + 230);
  });

  test("of Cyclonus expect what those of Kubernetes do, where a case is of both", () => {
    const pairs = [1, 2, 11, 15, 16, 17, 20, 21, 22, 23, 27, 28, 33].map((number, at) => [
      suiteCases.find(({ id }) => id === `upstream-${String(number).padStart(2, "0")}`)!,
      suiteCases.find(({ id }) => id === `cyclonus-upstream-${String(at + 1).padStart(3, "0")}`)!,
    ]);
    for (const [upstream, cyclonus] of pairs) {
      const stepsOf = (one: SuiteCase) => one.steps((pod) => addressAtStart.get(pod)!);
      const computed = stepsOf(cyclonus!);
      for (const [at, { probes }] of stepsOf(upstream!).entries()) {
        const known = new Set(computed[at]!.probes.map(textOf));
        expect(probes.filter((probe) => !known.has(textOf(probe)))).toEqual([]);
      }
    }
  });

  /** By hand, from what the case says: who gets through, of all nine, at TCP 80 to or from x/a. */
  const byHand: readonly [string, "to" | "from", readonly string[]][] = [
    // x/a may receive from b and c of x and y, and send to a and b of y and z.
    ["cyclonus-target-001", "to", ["x/b", "x/c", "y/b", "y/c"]],
    ["cyclonus-target-001", "from", ["y/a", "y/b", "z/a", "z/b"]],
    // In y the same policy is about y/a; x/a may do what y/a and nobody else restricts.
    ["cyclonus-target-002", "from", ["x/b", "x/c", "y/b", "y/c", "z/a", "z/b", "z/c"]],
    ["cyclonus-rules-001", "to", []],
    ["cyclonus-rules-002", "to", ["x/b", "x/c", "y/a", "y/b", "y/c", "z/a", "z/b", "z/c"]],
    // All of its own namespace, then those called c of it.
    ["cyclonus-peers-002", "to", ["x/b", "x/c"]],
    ["cyclonus-peers-003", "to", ["x/c"]],
    // z/c is 10.32.0.18: in 10.32.0.16/28 with z/a and z/b, which are 16 and 17.
    ["cyclonus-peers-011", "to", ["x/b", "x/c", "y/a", "y/b", "y/c"]],
    ["cyclonus-namespace-001", "to", ["z/a", "z/b", "z/c"]],
    ["cyclonus-port-protocol-003", "to", ["x/b", "x/c", "y/b", "y/c"]],
    // UDP 80 alone.
    ["cyclonus-port-protocol-009", "to", []],
  ];

  for (const [id, end, others] of byHand) {
    test(`expect of ${id} what it says, ${end} x/a`, () => {
      const { steps } = suiteCases.find((each) => each.id === id)!;
      const [first] = steps((pod) => addressAtStart.get(pod)!);
      const through = first!.probes
        .filter(({ protocol, port, allowed }) => protocol === "TCP" && port === 80 && allowed)
        .filter((probe) => probe[end] === "x/a")
        .map((probe): string => (end === "to" ? probe.from : probe.to));
      expect(through.sort()).toEqual([...others]);
    });
  }
});

function textOf({ from, to, protocol, port, allowed }: Probe): string {
  return `${from} ${to} ${protocol} ${port} ${allowed}`;
}
