import type { Combination } from "../chain-draft.ts";
import type { ClusterPolicy, Direction, NetworkPolicy, Pod } from "../objects.ts";
import { type PodQuery, podsOfNamespace, podsOfNamespaces } from "../peer-term.ts";
import type { ChainKey } from "../rule-set.ts";
import type { Population } from "./population.ts";

export type PolicyEntry =
  | { readonly tier: "network"; readonly subject: PodQuery; readonly policy: NetworkPolicy }
  | {
      readonly tier: "admin" | "baseline";
      readonly subject: PodQuery;
      readonly policy: ClusterPolicy;
    };

/** What tells a policy from all others. */
export type PolicyKey = string;

export function networkPolicyKey(namespace: string, name: string): PolicyKey {
  return JSON.stringify(["network", namespace, name]);
}

export function clusterPolicyKey(tier: ClusterPolicy["tier"], name: string): PolicyKey {
  return JSON.stringify([tier, name]);
}

/** Which policies there are, and which of them are about a pod. */
export class PolicyTable {
  readonly #population: Population;
  readonly #policies = new Map<PolicyKey, PolicyEntry>();
  /** By the query that tells whom they are about. */
  readonly #bySubject = new Map<string, Set<PolicyKey>>();
  readonly #changed = new Set<PolicyKey>();

  constructor(population: Population) {
    this.#population = population;
  }

  putNetworkPolicy(policy: NetworkPolicy): void {
    const subject = podsOfNamespace(policy.namespace, policy.podSelector);
    const key = networkPolicyKey(policy.namespace, policy.name);
    this.#put(key, { tier: "network", subject, policy });
  }

  putClusterPolicy(policy: ClusterPolicy): void {
    const subject = podsOfNamespaces(policy.subject.namespaces, policy.subject.pods);
    const { tier, name } = policy;
    this.#put(clusterPolicyKey(tier, name), { tier, subject, policy });
  }

  remove(key: PolicyKey): void {
    const entry = this.#policies.get(key);
    if (entry === undefined) return;
    const { subject } = entry;
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
        if (saysSomething(this.#policies.get(policy)!, direction)) keys.push(policy);
      }
    }
    return keys.sort();
  }

  /** The policies themselves, as they are now. */
  combination(keys: readonly PolicyKey[]): Combination {
    const entries = keys.map((key) => this.#policies.get(key)).filter((each) => each !== undefined);
    return {
      admin: entries.flatMap((each) => (each.tier === "admin" ? [each.policy] : [])),
      network: entries.flatMap((each) => (each.tier === "network" ? [each.policy] : [])),
      baseline: entries.flatMap((each) => (each.tier === "baseline" ? [each.policy] : [])),
    };
  }

  #put(key: PolicyKey, entry: PolicyEntry): void {
    this.#population.acquireSubject(entry.subject);
    this.remove(key);
    this.#policies.set(key, entry);
    const policies = this.#bySubject.get(entry.subject.key) ?? new Set<PolicyKey>();
    this.#bySubject.set(entry.subject.key, policies.add(key));
    this.#changed.add(key);
  }
}

/** A cluster policy without rules for a direction changes nothing there; a network policy isolates. */
function saysSomething({ tier, policy }: PolicyEntry, direction: Direction): boolean {
  return tier === "network" ? policy[direction] !== undefined : policy[direction].length > 0;
}

/** The chain of a combination of policies: shared by all pods that they are about. */
export function chainKeyOf(direction: Direction, policies: readonly PolicyKey[]): ChainKey {
  return JSON.stringify([direction, ...policies]);
}
