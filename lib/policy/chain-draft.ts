import type { Direction } from "./objects.ts";
import { type AddressQuery, PeerMatches } from "./peer-matches.ts";
import type { PortMatches, PortQuery } from "./port-matches.ts";
import type { PreparedPolicy } from "./prepared-policy.ts";
import type { Chain, Rule } from "./rule-set.ts";

/** A chain, and what is in the sets that it speaks of. */
export interface ChainDraft {
  readonly chain: Chain;
  readonly addresses: readonly AddressQuery[];
  readonly ports: readonly PortQuery[];
}

/** What all policies that are about a pod say together, in the words of a packet filter. */
export function draftChain(direction: Direction, policies: readonly PreparedPolicy[]): ChainDraft {
  const drafter = new Drafter(direction);
  const ofTier = (wanted: PreparedPolicy["tier"]) => policies.filter(({ tier }) => tier === wanted);
  const tiers = [
    drafter.clusterTier(ofTier("admin")),
    drafter.networkTier(ofTier("network")),
    drafter.clusterTier(ofTier("baseline")),
  ];
  return { chain: { tiers: tiers.filter((tier) => tier.length > 0) }, ...drafter.queries() };
}

/** Rules about the same ports. */
interface Group {
  readonly ports: PortMatches;
  readonly peers: PeerMatches;
}

class Drafter {
  readonly #direction: Direction;
  readonly #addresses = new Map<string, AddressQuery>();
  readonly #ports = new Map<string, PortQuery>();

  constructor(direction: Direction) {
    this.#direction = direction;
  }

  queries(): Pick<ChainDraft, "addresses" | "ports"> {
    return { addresses: [...this.#addresses.values()], ports: [...this.#ports.values()] };
  }

  /** One rule after the other: the first that matches decides. */
  clusterTier(policies: readonly PreparedPolicy[]): Rule[] {
    return [...policies].sort(byPriority).flatMap((policy) =>
      (policy[this.#direction] ?? []).flatMap(({ peers, ports, verdict }) => {
        const group = { ports, peers: new PeerMatches().add(peers) };
        return this.#rules(group, verdict, policy.origin);
      }),
    );
  }

  /**
   * Rules of all policies together: what they allow adds up, so those about the same ports are one,
   * and how long the chain is depends on the ports alone and on blocks.
   */
  networkTier(policies: readonly PreparedPolicy[]): Rule[] {
    if (policies.length === 0) return [];
    const origin = originOf(policies);
    const groups = this.#groups(policies);
    const all = groups.find(({ ports, peers }) => ports.ports === "any" && peers.isAny);
    const allows = all === undefined ? groups : [all];
    return [
      ...allows.flatMap((group) => this.#rules(group, "allow", origin)),
      { peer: { kind: "any" }, ports: "any", verdict: "deny", origin },
    ];
  }

  #groups(policies: readonly PreparedPolicy[]): Group[] {
    const groups = new Map<string, Group>();
    for (const policy of policies) {
      for (const { peers, ports } of policy[this.#direction] ?? []) {
        const group = groups.get(ports.key) ?? { ports, peers: new PeerMatches() };
        groups.set(ports.key, group);
        group.peers.add(peers);
      }
    }
    return [...groups.keys()].sort().map((key) => groups.get(key)!);
  }

  #rules({ ports, peers: gathered }: Group, verdict: Rule["verdict"], origin: string): Rule[] {
    const { peers, query } = gathered.matches();
    if (ports.ports.length === 0 || peers.length === 0) return [];
    if (query !== undefined) this.#addresses.set(query.key, query);
    for (const each of ports.queries) this.#ports.set(each.key, each);
    return peers.map((peer) => ({ peer, ports: ports.ports, verdict, origin }));
  }
}

function byPriority(a: PreparedPolicy, b: PreparedPolicy): number {
  return a.priority === b.priority ? (a.origin < b.origin ? -1 : 1) : a.priority - b.priority;
}

/** The first by name, and how many others isolate as well. */
function originOf(policies: readonly PreparedPolicy[]): string {
  const names = policies.map(({ origin }) => origin).sort();
  return names.length === 1 ? names[0]! : `${names[0]} and ${names.length - 1} more`;
}
