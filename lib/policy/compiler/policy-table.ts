import type { ClusterPolicy, Direction, NetworkPolicy, Pod } from "../objects.ts";
import {
  type PreparedPolicy,
  prepareClusterPolicy,
  prepareNetworkPolicy,
} from "../prepared-policy.ts";
import type { ChainKey } from "../rule-set.ts";
import type { Population } from "./population.ts";

/** What tells a policy from all others. */
export type PolicyKey = string;

export function networkPolicyKey(namespace: string, name: string): PolicyKey {
  return JSON.stringify(["network", namespace, name]);
}

export function clusterPolicyKey(tier: ClusterPolicy["tier"], name: string): PolicyKey {
  return JSON.stringify([tier, name]);
}

/** The chain of a combination of policies: shared by all pods that they are about. */
export function chainKeyOf(direction: Direction, policies: readonly PolicyKey[]): ChainKey {
  return JSON.stringify([direction, ...policies]);
}

/** Which policies there are, and which of them are about a pod. */
export class PolicyTable {
  readonly #population: Population;
  readonly #policies = new Map<PolicyKey, PreparedPolicy>();
  /** By the query that tells whom they are about. */
  readonly #bySubject = new Map<string, Set<PolicyKey>>();
  readonly #changed = new Set<PolicyKey>();

  constructor(population: Population) {
    this.#population = population;
  }

  putNetworkPolicy(policy: NetworkPolicy): void {
    this.#put(networkPolicyKey(policy.namespace, policy.name), prepareNetworkPolicy(policy));
  }

  putClusterPolicy(policy: ClusterPolicy): void {
    this.#put(clusterPolicyKey(policy.tier, policy.name), prepareClusterPolicy(policy));
  }

  remove(key: PolicyKey): void {
    const policy = this.#policies.get(key);
    if (policy === undefined) return;
    const { subject } = policy;
    const policies = this.#bySubject.get(subject.key)!;
    policies.delete(key);
    if (policies.size === 0) this.#bySubject.delete(subject.key);
    this.#population.releaseSubject(subject);
    this.#policies.delete(key);
    this.#changed.add(key);
  }

  /** Policies that have changed since the last time. */
  takeChanged(): PolicyKey[] {
    const changed = [...this.#changed];
    this.#changed.clear();
    return changed;
  }

  /** Policies that say something of a direction of a pod, in an order that depends on them alone. */
  about(pod: Pod, direction: Direction): PolicyKey[] {
    const keys: PolicyKey[] = [];
    for (const { key } of this.#population.queriesOf(pod)) {
      for (const policy of this.#bySubject.get(key) ?? []) {
        if (this.#policies.get(policy)![direction] !== undefined) keys.push(policy);
      }
    }
    return keys.sort();
  }

  /** The policies themselves as they are now, without those that are gone. */
  all(keys: readonly PolicyKey[]): PreparedPolicy[] {
    return keys.map((key) => this.#policies.get(key)).filter((each) => each !== undefined);
  }

  #put(key: PolicyKey, policy: PreparedPolicy): void {
    const { subject } = policy;
    this.#population.acquireSubject(subject);
    this.remove(key);
    this.#policies.set(key, policy);
    const policies = this.#bySubject.get(subject.key) ?? new Set<PolicyKey>();
    this.#bySubject.set(subject.key, policies.add(key));
    this.#changed.add(key);
  }
}
