import type { ClusterPolicy, NetworkPolicy } from "./objects.ts";

/** Which policy is meant, as Kubernetes calls it. */
export interface PolicyName {
  readonly kind: "NetworkPolicy" | "AdminNetworkPolicy" | "BaselineAdminNetworkPolicy";
  /** Of a NetworkPolicy alone. */
  readonly namespace?: string;
  readonly name: string;
}

export const clusterPolicyKinds = {
  admin: "AdminNetworkPolicy",
  baseline: "BaselineAdminNetworkPolicy",
} as const;

export function nameOfPolicy({ namespace, name }: NetworkPolicy): PolicyName {
  return { kind: "NetworkPolicy", namespace, name };
}

export function nameOfClusterPolicy({ tier, name }: ClusterPolicy): PolicyName {
  return { kind: clusterPolicyKinds[tier], name };
}

/** `shop/web`, or `AdminNetworkPolicy dmz`: short enough for a line of a log. */
export function formatPolicyName({ kind, namespace, name }: PolicyName): string {
  return namespace === undefined ? `${kind} ${name}` : `${namespace}/${name}`;
}
