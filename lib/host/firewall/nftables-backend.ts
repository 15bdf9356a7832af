import { isSystemError } from "../../../ffi/system-error.ts";
import type { IpFamily } from "../../base/ip.ts";
import type { Netlink } from "../netlink/conversation.ts";
import * as nft from "../netlink/nft-expression.ts";
import {
  deleteTable,
  listRules,
  type NftChain,
  replaceTable,
  rulesGeneration,
} from "../netlink/nftables.ts";
import { openNetfilter } from "../netlink/open.ts";
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
  readonly #table: (typeof firewallTables)[IpFamily];
  #wanted: readonly PacketChain[] | undefined;
  /** How the kernel's rules were when ours were in place: as a whole, and ours one by one. */
  #inPlace: { readonly generation: number; readonly rules: string } | undefined;

  constructor(family: IpFamily) {
    this.#table = firewallTables[family];
  }

  apply(chains: readonly PacketChain[]): boolean {
    this.#wanted = chains;
    this.#inPlace = undefined;
    using netfilter = openNetfilter();
    replaceTable(netfilter, { ...this.#table, chains: chains.map(chainOf) });
    this.#inPlace = { generation: rulesGeneration(netfilter), rules: this.#ownRules(netfilter) };
    return true;
  }

  mend(generation: number | undefined): boolean {
    const [wanted, inPlace] = [this.#wanted, this.#inPlace];
    if (wanted === undefined || inPlace === undefined) return false;
    if (generation === undefined || generation === inPlace.generation) return false;
    {
      using netfilter = openNetfilter();
      if (this.#ownRules(netfilter) === inPlace.rules) {
        this.#inPlace = { ...inPlace, generation };
        return false;
      }
    }
    return this.apply(wanted);
  }

  /** Every rule of ours by its chain and handle: a rule that was made anew has another one. */
  #ownRules(netfilter: Netlink): string {
    return listRules(netfilter, this.#table)
      .map(({ chain, handle }) => `${chain} ${handle}`)
      .join();
  }
}

/** Another number when any rule of nf_tables has changed since; `undefined` in a kernel without. */
export function nftablesGeneration(): number | undefined {
  try {
    using netfilter = openNetfilter();
    return rulesGeneration(netfilter);
  } catch (error) {
    if (isSystemError(error)) return undefined;
    throw error;
  }
}

/** Whether the kernel has such tables. */
export function hasNftables(): boolean {
  return nftablesGeneration() !== undefined;
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
  accept: nft.accept,
  drop: nft.drop,
  leave: nft.leaveChain,
  masquerade: nft.masquerade,
} as const;

function expressionsOf(rule: PacketRule): Uint8Array[] {
  const { from, to, source, destination, port, known, verdict } = rule;
  return [
    ...encoded(from, nft.inputInterface),
    ...encoded(to, nft.outputInterface),
    ...encoded(destination, nft.destination),
    ...encoded(source, nft.source),
    ...(port === undefined ? [] : nft.destinationPort(port.protocol, port.number)),
    ...(known === undefined ? [] : nft.connectionKnown()),
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
