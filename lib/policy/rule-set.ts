import type { Cidr, HostIp } from "../base/ip.ts";
import type { Direction, TransportProtocol } from "./objects.ts";

/**
 * What the packet filter of one node has to do, in words that every packet filter has. Policies,
 * selectors and labels are gone: there are addresses, sets of them, and chains of rules.
 *
 *   a packet of a new connection
 *     │ targets.egress[source]       ─▶ chain ─▶ deny: dropped
 *     │ targets.ingress[destination] ─▶ chain ─▶ deny: dropped
 *     ▼ otherwise
 *   passes
 *
 *   chain:  tier 1: rule, rule, …   the first that matches decides: allow ends the chain,
 *           tier 2: rule, …         deny drops, pass goes on with the next tier
 *           behind the last: allow
 *
 * Only addresses of pods of this node are targets: each end of a connection is judged where it is.
 * Packets of connections that have been let through, what a pod says to its own address (by way of a
 * service, say), what a node and its own pods say to each other, and neighbour discovery are not
 * judged.
 */
export interface RuleSet {
  readonly sets: ReadonlyMap<SetKey, AddressSet>;
  readonly portSets: ReadonlyMap<SetKey, PortSet>;
  readonly chains: ReadonlyMap<ChainKey, Chain>;
  readonly targets: Readonly<Record<Direction, ReadonlyMap<HostIp, ChainKey>>>;
}

/** Names a set by what is in it; of any length and with any characters. */
export type SetKey = string;

/** Names a chain by what it stands for; of any length and with any characters. */
export type ChainKey = string;

/** Of the chain of addresses whose pod nobody has told of yet: it denies everything. */
export const heldKey: ChainKey = JSON.stringify(["held"]);

/** Of both families. */
export type AddressSet = ReadonlySet<HostIp>;

/** Ports at addresses, for ports that pods give names to: by {@link formatPortElement}. */
export type PortSet = ReadonlyMap<string, PortElement>;

export interface PortElement {
  readonly address: HostIp;
  readonly protocol: TransportProtocol;
  readonly port: number;
}

/** The key of an element: equal elements have equal keys. */
export function formatPortElement({ address, protocol, port }: PortElement): string {
  return `${address} ${protocol} ${port}`;
}

export interface Chain {
  readonly tiers: readonly (readonly Rule[])[];
}

export interface Rule {
  /** Of an ingress chain the source, of an egress chain the destination. */
  readonly peer: PeerMatch;
  /** Any of these, at the destination; ranges of one protocol neither overlap nor touch. */
  readonly ports: "any" | readonly PortMatch[];
  readonly verdict: "allow" | "deny" | "pass";
  /** Which policy says so, for the log of what was dropped: `namespace/name`, say. */
  readonly origin: string;
}

export type PeerMatch =
  | { readonly kind: "any" }
  | { readonly kind: "set"; readonly set: SetKey }
  | { readonly kind: "block"; readonly block: Cidr; readonly except: readonly Cidr[] };

export type PortMatch =
  /** Both ends included. */
  | {
      readonly kind: "numbers";
      readonly protocol: TransportProtocol;
      readonly first: number;
      readonly last: number;
    }
  /** Destination address, protocol and port together are in a {@link PortSet}. */
  | { readonly kind: "set"; readonly set: SetKey };

/**
 * From one rule set to the next. Put in place as a whole; what is added may be referred to by what
 * is put, and what is removed is not referred to any more.
 */
export interface RuleSetChange {
  readonly sets: SetChanges<HostIp>;
  readonly portSets: SetChanges<PortElement>;
  readonly chains: {
    /** New ones, and new contents of old ones. */
    readonly put: ReadonlyMap<ChainKey, Chain>;
    readonly remove: readonly ChainKey[];
  };
  readonly targets: Readonly<Record<Direction, TargetChanges>>;
}

export interface SetChanges<Element> {
  readonly add: ReadonlyMap<SetKey, readonly Element[]>;
  readonly remove: readonly SetKey[];
  /** Of sets that stay. */
  readonly change: ReadonlyMap<
    SetKey,
    { readonly add: readonly Element[]; readonly remove: readonly Element[] }
  >;
}

export interface TargetChanges {
  readonly put: ReadonlyMap<HostIp, ChainKey>;
  readonly remove: readonly HostIp[];
}
