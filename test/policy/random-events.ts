import * as fc from "fast-check";
import type { PolicyCompiler } from "../../lib/policy/compiler.ts";
import { namespaceOf } from "../../lib/policy/labels.ts";
import { readPolicies } from "../../lib/policy/read-policies.ts";
import { ipOf, nodeFromRaw, podFromRaw } from "./cluster-from-json.ts";
import type { RawCluster, RawPod, RawPolicy } from "./naive-evaluator.ts";
import { addresses4, namespace, node, pod, policy, policyKey } from "./random-cluster.ts";

type RawNamespace = RawCluster["namespaces"][number];
type RawNode = NonNullable<RawCluster["nodes"]>[number];

/** What may happen, in any order: objects that are put again differ, those removed may not be there. */
export type ClusterEvent =
  | { readonly does: "put-namespace"; readonly namespace: RawNamespace }
  | { readonly does: "remove-namespace"; readonly namespace: RawNamespace }
  | { readonly does: "put-pod"; readonly pod: RawPod }
  | { readonly does: "remove-pod"; readonly pod: RawPod }
  | { readonly does: "put-node"; readonly node: RawNode }
  | { readonly does: "remove-node"; readonly node: RawNode }
  | { readonly does: "put-policy"; readonly policy: RawPolicy }
  | { readonly does: "remove-policy"; readonly policy: RawPolicy }
  | { readonly does: "hold" | "release"; readonly address: string }
  | { readonly does: "commit" };

const does = <const Word extends string>(word: Word) => fc.constant(word);
const address = fc.constantFrom(...addresses4);

export const clusterEvent: fc.Arbitrary<ClusterEvent> = fc.oneof(
  { weight: 8, arbitrary: fc.record({ does: does("put-namespace"), namespace }) },
  { weight: 2, arbitrary: fc.record({ does: does("remove-namespace"), namespace }) },
  { weight: 20, arbitrary: fc.record({ does: does("put-pod"), pod }) },
  { weight: 4, arbitrary: fc.record({ does: does("remove-pod"), pod }) },
  { weight: 3, arbitrary: fc.record({ does: does("put-node"), node }) },
  { weight: 1, arbitrary: fc.record({ does: does("remove-node"), node }) },
  { weight: 20, arbitrary: fc.record({ does: does("put-policy"), policy }) },
  { weight: 4, arbitrary: fc.record({ does: does("remove-policy"), policy }) },
  { weight: 1, arbitrary: fc.record({ does: does("hold"), address }) },
  { weight: 2, arbitrary: fc.record({ does: does("release"), address }) },
  { weight: 8, arbitrary: fc.constant({ does: "commit" as const }) },
);

/** What is there after some events. */
export class ClusterState {
  readonly namespaces = new Map<string, RawNamespace>();
  readonly pods = new Map<string, RawPod>();
  readonly nodes = new Map<string, RawNode>();
  readonly policies = new Map<string, RawPolicy>();
  readonly held = new Set<string>();

  happen(event: ClusterEvent): void {
    switch (event.does) {
      case "put-namespace":
        this.namespaces.set(event.namespace.metadata.name, event.namespace);
        break;
      case "remove-namespace":
        this.namespaces.delete(event.namespace.metadata.name);
        break;
      case "put-pod":
        this.pods.set(event.pod.metadata.uid, event.pod);
        break;
      case "remove-pod":
        this.pods.delete(event.pod.metadata.uid);
        break;
      case "put-node":
        this.nodes.set(event.node.metadata.name, event.node);
        break;
      case "remove-node":
        this.nodes.delete(event.node.metadata.name);
        break;
      case "put-policy":
        this.policies.set(policyKey(event.policy), event.policy);
        break;
      case "remove-policy":
        this.policies.delete(policyKey(event.policy));
        break;
      case "hold":
        this.held.add(event.address);
        break;
      case "release":
        this.held.delete(event.address);
        break;
    }
  }

  raw(): RawCluster {
    return {
      namespaces: [...this.namespaces.values()],
      pods: [...this.pods.values()],
      nodes: [...this.nodes.values()],
      policies: [...this.policies.values()],
    };
  }

  /** All of it as events, or with `gone` the end of all of it. */
  events(gone = false): ClusterEvent[] {
    const word = gone ? "remove" : "put";
    return [
      ...[...this.policies.values()].map(
        (each) => ({ does: `${word}-policy`, policy: each }) as const,
      ),
      ...[...this.pods.values()].map((each) => ({ does: `${word}-pod`, pod: each }) as const),
      ...[...this.nodes.values()].map((each) => ({ does: `${word}-node`, node: each }) as const),
      ...[...this.namespaces.values()].map(
        (each) => ({ does: `${word}-namespace`, namespace: each }) as const,
      ),
      ...[...this.held].map(
        (each) => ({ does: gone ? "release" : "hold", address: each }) as const,
      ),
    ];
  }
}

/** Tells a compiler; `commit` is for whoever drives it. @param here the machine that it is for */
export function tell(compiler: PolicyCompiler, event: ClusterEvent, here: string): void {
  switch (event.does) {
    case "put-namespace": {
      const { name, labels } = event.namespace.metadata;
      compiler.putNamespace(namespaceOf(name, labels));
      break;
    }
    case "remove-namespace":
      compiler.removeNamespace(event.namespace.metadata.name);
      break;
    case "put-pod":
      compiler.putPod(podFromRaw(event.pod, here));
      break;
    case "remove-pod":
      compiler.removePod(event.pod.metadata.uid);
      break;
    case "put-node":
      compiler.putNode(nodeFromRaw(event.node));
      break;
    case "remove-node":
      compiler.removeNode(event.node.metadata.name);
      break;
    case "put-policy": {
      const { networkPolicies, clusterPolicies } = readPolicies(event.policy);
      for (const each of networkPolicies) compiler.putNetworkPolicy(each);
      for (const each of clusterPolicies) compiler.putClusterPolicy(each);
      break;
    }
    case "remove-policy": {
      const { networkPolicies, clusterPolicies } = readPolicies(event.policy);
      for (const { namespace: of, name } of networkPolicies) compiler.removeNetworkPolicy(of, name);
      for (const { tier, name } of clusterPolicies) compiler.removeClusterPolicy(tier, name);
      break;
    }
    case "hold":
      compiler.hold(ipOf(event.address));
      break;
    case "release":
      compiler.release(ipOf(event.address));
      break;
    case "commit":
      break;
  }
}
