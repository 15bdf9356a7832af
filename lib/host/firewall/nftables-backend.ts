import type { IpFamily } from "../../base/ip.ts";
import * as match from "../netlink/nft-match.ts";
import * as statement from "../netlink/nft-statement.ts";
import { deleteTable, type NftChain } from "../netlink/nftables.ts";
import { openNetfilter } from "../netlink/open.ts";
import { hasNftables, OwnTable } from "../own-table.ts";
import type { FirewallBackend, PacketChain, PacketRule, Unless } from "./packet-rule.ts";

/** The router's own tables of packet filter rules; nobody else's rules are ever touched. */
export const firewallTables = {
  4: { family: "ip", name: "weave" },
  6: { family: "ip6", name: "weave" },
} as const;

const hooks = {
  input: { type: "filter", at: "input", priority: 0 },
  forward: { type: "filter", at: "forward", priority: 0 },
  postrouting: { type: "nat", at: "postrouting", priority: 100 },
} as const;

/** Rules in a table of our own, put in place as a whole in one transaction. */
export class NftablesBackend implements FirewallBackend {
  readonly name = "nftables";
  readonly #table: OwnTable;
  #wanted: readonly PacketChain[] | undefined;

  constructor(family: IpFamily) {
    this.#table = new OwnTable(firewallTables[family]);
  }

  apply(chains: readonly PacketChain[]): boolean {
    this.#wanted = chains;
    this.#table.put({ chains: chains.map(chainOf) });
    return true;
  }

  mend(generation: number | undefined): boolean {
    const wanted = this.#wanted;
    if (wanted === undefined || generation === undefined) return false;
    return this.#table.isSpoilt(generation) && this.apply(wanted);
  }
}

/** Removes all of the router's rules there; false when there were none. @throws SystemError */
export function removeNftables(): boolean {
  if (!hasNftables()) return false;
  using netfilter = openNetfilter();
  return Object.values(firewallTables).filter((table) => deleteTable(netfilter, table)).length > 0;
}

function chainOf({ at, rules }: PacketChain): NftChain {
  return {
    ...{ name: at, hook: hooks[at] },
    rules: rules.map((rule) => ({
      expressions: expressionsOf(rule),
      ...(rule.comment !== undefined && { comment: rule.comment }),
    })),
  };
}

const verdicts = {
  accept: statement.accept,
  drop: statement.drop,
  leave: statement.leaveChain,
  masquerade: statement.masquerade,
} as const;

function expressionsOf(rule: PacketRule): Uint8Array[] {
  const { from, to, source, destination, port, known, verdict } = rule;
  return [
    ...encoded(from, match.inputInterface),
    ...encoded(to, match.outputInterface),
    ...encoded(destination, match.destination),
    ...encoded(source, match.source),
    ...(port === undefined ? [] : match.destinationPort(port.protocol, port.number)),
    ...(known === undefined ? [] : match.connectionKnown()),
    verdicts[verdict](),
  ];
}

function encoded<T>(
  condition: Unless<T> | undefined,
  encode: (value: T, equal: boolean) => Uint8Array[],
): Uint8Array[] {
  if (condition === undefined) return [];
  return "is" in condition ? encode(condition.is, true) : encode(condition.isNot, false);
}
