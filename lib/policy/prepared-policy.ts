import type { AllowRule, ClusterPolicy, ClusterRule, NetworkPolicy, Peer } from "./objects.ts";
import { type BlockMatch, blockMatch } from "./peer-matches.ts";
import {
  type PeerTerm,
  type PodQuery,
  podsOfNamespace,
  podsOfNamespaces,
  termOf,
} from "./peer-term.ts";
import { formatPolicyName, nameOfClusterPolicy, nameOfPolicy } from "./policy-name.ts";
import { matchesOf, type PortMatches } from "./port-matches.ts";
import type { Rule } from "./rule-set.ts";

/** A policy in the words that chains are made of: made once, however many chains it is part of. */
export interface PreparedPolicy {
  readonly tier: "admin" | "network" | "baseline";
  /** Its name in rules. */
  readonly origin: string;
  /** Of two of one tier the lower comes first, and then the name decides; 0 where all add up. */
  readonly priority: number;
  readonly subject: PodQuery;
  /** `undefined`: says nothing of that direction. */
  readonly ingress: readonly PreparedRule[] | undefined;
  readonly egress: readonly PreparedRule[] | undefined;
}

export interface PreparedRule {
  readonly verdict: Rule["verdict"];
  readonly peers: PreparedPeers;
  readonly ports: PortMatches;
}

/** Any of these. */
export interface PreparedPeers {
  readonly isAny: boolean;
  readonly terms: readonly PeerTerm[];
  readonly blocks: readonly BlockMatch[];
}

export function prepareNetworkPolicy(policy: NetworkPolicy): PreparedPolicy {
  const prepare = (rules: readonly AllowRule[] | undefined) =>
    rules?.map(({ peers, ports }): PreparedRule => {
      const prepared = preparePeers(peers, policy.namespace);
      return { verdict: "allow", peers: prepared, ports: matchesOf(ports) };
    });
  return {
    ...{ tier: "network", origin: formatPolicyName(nameOfPolicy(policy)), priority: 0 },
    subject: podsOfNamespace(policy.namespace, policy.podSelector),
    ...{ ingress: prepare(policy.ingress), egress: prepare(policy.egress) },
  };
}

export function prepareClusterPolicy(policy: ClusterPolicy): PreparedPolicy {
  const { tier, priority, subject } = policy;
  // Without rules for a direction it changes nothing there, unlike a network policy.
  const prepare = (rules: readonly ClusterRule[]) =>
    rules.length === 0
      ? undefined
      : rules.map(({ peers, ports, action }): PreparedRule => {
          const prepared = preparePeers(peers, undefined);
          return { verdict: action, peers: prepared, ports: matchesOf(ports) };
        });
  return {
    ...{ tier, origin: formatPolicyName(nameOfClusterPolicy(policy)), priority },
    subject: podsOfNamespaces(subject.namespaces, subject.pods),
    ...{ ingress: prepare(policy.ingress), egress: prepare(policy.egress) },
  };
}

/** @param own the namespace of the policy; `undefined` for one of the cluster, which has none */
function preparePeers(peers: "any" | readonly Peer[], own: string | undefined): PreparedPeers {
  if (peers === "any") return { isAny: true, terms: [], blocks: [] };
  const terms: PeerTerm[] = [];
  const blocks: BlockMatch[] = [];
  for (const peer of peers) {
    if (peer.kind === "block") blocks.push(...blockMatch(peer.block, peer.except));
    else terms.push(...termOf(peer, own));
  }
  return { isAny: false, terms, blocks };
}
