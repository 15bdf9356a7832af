/**
 * Cases of the conformance suites for network policies (kubernetes.md §11) as data: what is done, in
 * steps, and who must reach whom after each. Who runs them decides what a cluster is: values in
 * memory, namespaces of one kernel, or nodes of Kubernetes.
 *
 * Every case starts in {@link startingCluster}: namespaces x, y, z with pods a, b, c each, which
 * serve ports 80 and 81 of TCP, UDP and SCTP.
 */
export interface SuiteCase {
  readonly suite: "upstream" | "cyclonus";
  /** Stable and unique: `upstream-01`, `cyclonus-peers-017`. */
  readonly id: string;
  readonly title: string;
  /**
   * What happens, with what must hold afterwards.
   *
   * @param addressOf the IPv4 address that a pod of the starting cluster has where it runs
   */
  steps(addressOf: (pod: PodName) => string): readonly Step[];
}

export interface Step {
  readonly actions: readonly Action[];
  /** Each pair but that of a pod and itself, for which nothing is said. */
  readonly probes: readonly Probe[];
}

/** `<namespace>/<pod>`. */
export type PodName = `${string}/${string}`;

export interface Probe {
  readonly from: PodName;
  readonly to: PodName;
  readonly protocol: Protocol;
  readonly port: number;
  readonly allowed: boolean;
}

export type Protocol = "TCP" | "UDP" | "SCTP";

export type StringMap = Readonly<Record<string, string>>;

/** What is done to the cluster; labels replace all that were there. */
export type Action =
  | { readonly do: "put-policy"; readonly policy: PolicyJson }
  | { readonly do: "delete-policy"; readonly namespace: string; readonly name: string }
  | { readonly do: "put-namespace"; readonly namespace: string; readonly labels: StringMap }
  | { readonly do: "delete-namespace"; readonly namespace: string }
  /** Its ports are those of all pods. */
  | { readonly do: "create-pod"; readonly pod: PodName; readonly labels: StringMap }
  | { readonly do: "label-pod"; readonly pod: PodName; readonly labels: StringMap }
  | { readonly do: "delete-pod"; readonly pod: PodName };

/** A NetworkPolicy as the API has it. */
export interface PolicyJson {
  readonly apiVersion: "networking.k8s.io/v1";
  readonly kind: "NetworkPolicy";
  readonly metadata: { readonly namespace: string; readonly name: string };
  readonly spec: PolicySpecJson;
}

export interface PolicySpecJson {
  readonly podSelector: SelectorJson;
  readonly policyTypes: readonly ("Ingress" | "Egress")[];
  readonly ingress?: readonly { from?: readonly PeerJson[]; ports?: readonly PortJson[] }[];
  readonly egress?: readonly { to?: readonly PeerJson[]; ports?: readonly PortJson[] }[];
}

export interface SelectorJson {
  readonly matchLabels?: StringMap;
  readonly matchExpressions?: readonly {
    readonly key: string;
    readonly operator: "In" | "NotIn" | "Exists" | "DoesNotExist";
    readonly values?: readonly string[];
  }[];
}

export interface PeerJson {
  readonly podSelector?: SelectorJson;
  readonly namespaceSelector?: SelectorJson;
  readonly ipBlock?: { readonly cidr: string; readonly except?: readonly string[] };
}

export interface PortJson {
  readonly protocol?: Protocol;
  readonly port?: number | string;
  readonly endPort?: number;
}

export function policyJson(namespace: string, name: string, spec: PolicySpecJson): PolicyJson {
  const [apiVersion, kind] = ["networking.k8s.io/v1", "NetworkPolicy"] as const;
  return { apiVersion, kind, metadata: { namespace, name }, spec };
}
