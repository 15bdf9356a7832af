import type { Cidr, HostIp } from "../base/ip.ts";

/**
 * What policies are about and what they say (kubernetes.md §9), after everything has been read and
 * checked: nothing here is optional that has a default, and nothing is left to interpret.
 *
 *   Namespace ─ labels          NetworkPolicy ── of one namespace, adds what is allowed
 *   Pod ─ labels, addresses     ClusterPolicy ── of all, in order: admin before, baseline after those
 *
 * A pod is whatever has addresses and labels: one of Kubernetes, or a container of a plain host.
 */
export type Labels = ReadonlyMap<string, string>;

export interface Namespace {
  readonly name: string;
  /** With `kubernetes.io/metadata.name`, whoever made it. */
  readonly labels: Labels;
}

export type TransportProtocol = "TCP" | "UDP" | "SCTP";

export interface NamedPort {
  readonly name: string;
  readonly protocol: TransportProtocol;
  /** 1 to 65535. */
  readonly port: number;
}

export interface Pod {
  /** Never that of another pod, also when name and address come again. */
  readonly id: string;
  /** By which its runtime knows it where that is not `id`; whoever made the pod may say anything here. */
  readonly runtimeId?: string | undefined;
  readonly namespace: string;
  readonly name: string;
  readonly labels: Labels;
  /** None before it has any; those of its host are not among them. */
  readonly addresses: readonly HostIp[];
  readonly ports: readonly NamedPort[];
  /** The {@link Node} that it runs on, whose traffic to it is not judged; missing when unknown. */
  readonly node?: string | undefined;
  /** Whether it runs here, so that this node decides what it may send and receive. */
  readonly isLocal: boolean;
  /**
   * Whether it has its addresses by an interface that was made here. Then they are its own, whatever
   * is told of pods elsewhere: by the clocks of their hosts these may seem to be later.
   */
  readonly isAttached?: boolean | undefined;
  /**
   * When it was made, or better was given its addresses, in ms since 1970: of two with one address
   * the later one has it. One that has ended has none any more, whatever its object says.
   */
  readonly sinceMs: number;
}

/** A machine that pods run on, for cluster policies that speak of machines. */
export interface Node {
  readonly name: string;
  readonly labels: Labels;
  readonly addresses: readonly HostIp[];
}

/** All requirements hold. None at all: everything is selected. */
export type Selector = readonly Requirement[];

export type Requirement =
  /** The label is there and has one of these values. */
  | { readonly key: string; readonly operator: "In"; readonly values: readonly string[] }
  /** The label has none of these values, or is not there. */
  | { readonly key: string; readonly operator: "NotIn"; readonly values: readonly string[] }
  | { readonly key: string; readonly operator: "Exists" | "DoesNotExist" };

export type Direction = "ingress" | "egress";

/** What a network policy says: a pod that it selects may do in a direction what some rule allows. */
export interface NetworkPolicy {
  readonly namespace: string;
  readonly name: string;
  readonly podSelector: Selector;
  /** Missing: says nothing of that direction. Empty: isolates, and allows nothing. */
  readonly ingress?: readonly AllowRule[];
  readonly egress?: readonly AllowRule[];
}

export interface AllowRule {
  /** Empty: nobody, as of a rule that cannot be read. */
  readonly peers: "any" | readonly Peer[];
  readonly ports: "any" | readonly PortRange[];
}

/** Who is at the other end. */
export type Peer =
  | { readonly kind: "pods"; readonly namespaces: NamespaceChoice; readonly pods: Selector }
  | { readonly kind: "block"; readonly block: Cidr; readonly except: readonly Cidr[] }
  /** Of cluster policies alone. */
  | { readonly kind: "nodes"; readonly nodes: Selector };

/** That of the policy, or all that a selector selects. */
export type NamespaceChoice = "own" | Selector;

/** Ports at the destination, as it knows them itself. */
export type PortRange =
  /** Both ends included; 0 to 65535 for all. */
  | {
      readonly kind: "numbers";
      readonly protocol: TransportProtocol;
      readonly first: number;
      readonly last: number;
    }
  /** What the destination pod calls so; `protocol` missing: whatever it has under that name. */
  | { readonly kind: "name"; readonly protocol?: TransportProtocol; readonly name: string };

/** AdminNetworkPolicy and BaselineAdminNetworkPolicy (policy.networking.k8s.io/v1alpha1). */
export interface ClusterPolicy {
  readonly tier: "admin" | "baseline";
  readonly name: string;
  /** Lower comes first; 0 to 1000. */
  readonly priority: number;
  readonly subject: { readonly namespaces: Selector; readonly pods: Selector };
  readonly ingress: readonly ClusterRule[];
  readonly egress: readonly ClusterRule[];
}

export interface ClusterRule {
  readonly name: string;
  /** `pass`: what network policies say, without the rest of the tier. Only in tier `admin`. */
  readonly action: "allow" | "deny" | "pass";
  readonly peers: readonly Peer[];
  readonly ports: "any" | readonly PortRange[];
}
