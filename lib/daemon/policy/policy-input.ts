import type { ClusterPolicy, Namespace, NetworkPolicy, Node, Pod } from "../../policy/objects.ts";

/**
 * Who takes what a source of policy tells of one kind of objects. Calls come in any order of kinds:
 * a policy may be told before the namespace that it is in. Each costs little; what follows from a
 * burst of them is done together, a moment later.
 */
export interface PolicyInput<T> {
  /**
   * All there are: what was told before and is not among them is gone. The first call says that the
   * kind is known as a whole, also when it is empty; before, nothing is enforced.
   */
  replaced(all: readonly T[]): void;
  /** A new object, or another state of one. */
  put(object: T): void;
  /** One that is gone, by its key in {@link policyKeys}; nothing happens when it is not known. */
  removed(key: string): void;
}

/** All kinds. Each is to be `replaced` once, by a source that has none of a kind with nothing. */
export interface PolicyInputs {
  readonly namespaces: PolicyInput<Namespace>;
  readonly pods: PolicyInput<Pod>;
  readonly networkPolicies: PolicyInput<NetworkPolicy>;
  readonly clusterPolicies: PolicyInput<ClusterPolicy>;
  readonly nodes: PolicyInput<Node>;
}

/** What tells an object of a kind from all others of that kind. */
export const policyKeys = {
  namespaces: ({ name }: Namespace): string => name,
  pods: ({ id }: Pod): string => id,
  networkPolicies: ({ namespace, name }: NetworkPolicy): string => `${namespace}/${name}`,
  clusterPolicies: ({ tier, name }: ClusterPolicy): string => `${tier}/${name}`,
  nodes: ({ name }: Node): string => name,
} as const;

/** Where policies, and those that they are about, come from. A router has one at a time. */
export interface PolicySource {
  /** As operators know it. */
  readonly name: "kubernetes" | "weave policy";
  /** Begins to tell. Called once, before anything else. */
  start(inputs: PolicyInputs): void;
  /**
   * Asks for a pod that has not been told of; `undefined` when there is none. A pod that is found
   * need not be told of as well before this resolves.
   */
  resolvePod?(namespace: string, name: string): Promise<Pod | undefined>;
  /** A sentence for each object that cannot be read; what it is about is denied meanwhile. */
  faults(): readonly string[];
  stop(): void;
}
