import type { Cidr } from "../../base/ip.ts";

/**
 * The packet filters of a host, in one form for iptables and nftables:
 *
 *   hook ─▶ base chains, lower priority first ─▶ rules, first to last ─▶ verdict, or the policy
 *                                                  │ jump, goto
 *                                                  └─▶ chains of the same table
 */
export interface FirewallFacts {
  readonly tables: readonly Table[];
  /** Whether bridged IPv4 packets pass the hooks of routed ones. */
  readonly filtersBridges: boolean;
  /** Which kernel interface `iptables` uses; missing where there is no such program. */
  readonly iptables: "legacy" | "nf_tables" | undefined;
}

export interface Table {
  readonly tool: FilterTool;
  /** `ip`, `ip6`, or with nftables `inet` for both. */
  readonly family: string;
  readonly name: string;
  readonly chains: ReadonlyMap<string, Chain>;
}

/** The program that shows and changes a table. */
export type FilterTool = IptablesTool | "nft";

export type IptablesTool = "iptables" | "iptables-legacy" | "ip6tables" | "ip6tables-legacy";

export type Hook = "input" | "output" | "forward";

export interface Chain {
  readonly name: string;
  /** Missing for a chain to which only jumps lead. */
  readonly base?: {
    readonly hook: Hook;
    readonly priority: number;
    readonly policy: "accept" | "drop";
  };
  readonly rules: readonly Rule[];
}

export interface Rule {
  /** All have to hold. */
  readonly matches: readonly Match[];
  readonly action: Action;
  /** As its program shows it. */
  readonly text: string;
}

export type Action =
  | { readonly kind: "accept" | "drop" | "return" | "next" }
  | { readonly kind: "jump" | "goto"; readonly chain: string };

export type Match = (
  | { readonly on: "protocol"; readonly names: readonly string[] }
  | { readonly on: "source" | "destination"; readonly networks: readonly Cidr[] }
  | { readonly on: "sourcePort" | "destinationPort"; readonly ranges: readonly PortRange[] }
  | { readonly on: "inInterface" | "outInterface"; readonly names: readonly string[] }
  | { readonly on: "state"; readonly states: readonly string[] }
  /** Something that cannot be judged here. */
  | { readonly on: "other" }
) & { readonly negated?: boolean };

/** First and last. */
export type PortRange = readonly [number, number];

export const next: Action = { kind: "next" };
