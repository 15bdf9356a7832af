import type { AllowRule, ClusterPolicy, ClusterRule, Direction, NetworkPolicy } from "./objects.ts";
import { type AddressQuery, PeerMatches } from "./peer-matches.ts";
import { formatPolicyName, nameOfClusterPolicy, nameOfPolicy } from "./policy-name.ts";
import { matchesOf, type PortMatches, type PortQuery } from "./port-matches.ts";
import type { Chain, Rule } from "./rule-set.ts";
import { byPriority } from "./verdict.ts";

/** All policies that are about a pod, in one direction. */
export interface Combination {
  readonly admin: readonly ClusterPolicy[];
  readonly network: readonly NetworkPolicy[];
  readonly baseline: readonly ClusterPolicy[];
}

/** A chain, and what is in the sets that it speaks of. */
export interface ChainDraft {
  readonly chain: Chain;
  readonly addresses: readonly AddressQuery[];
  readonly ports: readonly PortQuery[];
}

/** What a combination of policies says, in the words of a packet filter. */
export function draftChain(direction: Direction, combination: Combination): ChainDraft {
  const { admin, network, baseline } = combination;
  const drafter = new Drafter();
  const tiers = [
    drafter.clusterTier(direction, admin),
    drafter.networkTier(direction, network),
    drafter.clusterTier(direction, baseline),
  ];
  return { chain: { tiers: tiers.filter((tier) => tier.length > 0) }, ...drafter.queries() };
}

class Drafter {
  readonly #addresses = new Map<string, AddressQuery>();
  readonly #ports = new Map<string, PortQuery>();

  queries(): Pick<ChainDraft, "addresses" | "ports"> {
    return { addresses: [...this.#addresses.values()], ports: [...this.#ports.values()] };
  }

  clusterTier(direction: Direction, policies: readonly ClusterPolicy[]): Rule[] {
    return [...policies].sort(byPriority).flatMap((policy) => {
      const origin = formatPolicyName(nameOfClusterPolicy(policy));
      return policy[direction].flatMap((rule) => this.#clusterRule(rule, origin));
    });
  }

  #clusterRule({ peers, ports, action }: ClusterRule, origin: string): Rule[] {
    return this.#rules(new PeerMatches().add(peers, undefined), matchesOf(ports), action, origin);
  }

  /**
   * Rules of all policies together: what they allow adds up, so those about the same ports are one,
   * and how long the chain is depends on the ports alone and on blocks.
   */
  networkTier(direction: Direction, policies: readonly NetworkPolicy[]): Rule[] {
    if (policies.length === 0) return [];
    const origin = originOf(policies);
    const groups = new Map<string, { ports: PortMatches; peers: PeerMatches }>();
    for (const policy of policies) {
      for (const rule of policy[direction] ?? []) addTo(groups, rule, policy.namespace);
    }
    const sorted = [...groups.keys()].sort().map((key) => groups.get(key)!);
    const all = sorted.find(({ ports, peers }) => ports.ports === "any" && peers.isAny);
    const allows = (all === undefined ? sorted : [all]).flatMap(({ ports, peers }) =>
      this.#rules(peers, ports, "allow", origin),
    );
    return [...allows, { peer: { kind: "any" }, ports: "any", verdict: "deny", origin }];
  }

  #rules(
    gathered: PeerMatches,
    { ports, queries }: PortMatches,
    verdict: Rule["verdict"],
    origin: string,
  ): Rule[] {
    if (ports.length === 0) return [];
    const { peers, query } = gathered.matches();
    if (query !== undefined) this.#addresses.set(query.key, query);
    if (peers.length > 0) for (const each of queries) this.#ports.set(each.key, each);
    return peers.map((peer) => ({ peer, ports, verdict, origin }));
  }
}

function addTo(
  groups: Map<string, { ports: PortMatches; peers: PeerMatches }>,
  rule: AllowRule,
  namespace: string,
): void {
  const ports = matchesOf(rule.ports);
  const group = groups.get(ports.key) ?? { ports, peers: new PeerMatches() };
  groups.set(ports.key, group);
  group.peers.add(rule.peers, namespace);
}

/** The first by name, and how many others isolate as well. */
function originOf(policies: readonly NetworkPolicy[]): string {
  const names = policies.map((policy) => formatPolicyName(nameOfPolicy(policy))).sort();
  if (names.length === 1) return names[0]!;
  return `${names[0]} and ${names.length - 1} more`;
}
