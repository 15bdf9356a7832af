import type { IpFamily } from "../../base/ip.ts";
import type { Direction } from "../../policy/objects.ts";
import type { NftTableId } from "../netlink/nft-message.ts";
import type { SetId } from "./set-usage.ts";
import { shortName } from "./short-name.ts";

/**
 * How things are called in the tables of policies, one a family, which nobody else touches:
 *
 *   chain forward                     where packets enter
 *   map   ingress                     of which address which chain
 *   chain ingress-‹short name›        a chain of rules, its first tier; `…/2` is the second
 *   set   peers-‹short name›          addresses
 *   set   ports-‹short name›          ports at addresses
 *   set   self                        addresses that are targets, each with itself
 *
 * What takes the place of one of them stands beside it for a moment, and so ends with `.2`; and what
 * takes the place of that has the name without an ending again.
 */
export const policyTables: Readonly<Record<IpFamily, NftTableId>> = {
  4: { family: "ip", name: "weave-npc" },
  6: { family: "ip6", name: "weave-npc" },
};
export const baseChain = "forward";
export const selfSet = "self";

export function targetMap(direction: Direction): string {
  return direction;
}

/** Whether that is the name of a map of targets, whichever of those that take turns. */
export function isTargetMap(name: string): boolean {
  return /^(ingress|egress)(\.\d+)?$/.test(name);
}

export function setStem({ kind, key }: SetId): string {
  return `${kind === "p" ? "ports" : "peers"}-${shortName(key)}`;
}

/** @param name the short one of its key */
export function chainStem(direction: Direction, name: string): string {
  return `${direction}-${name}`;
}

/** @param tier from 0 */
export function tierName(chain: string, tier: number): string {
  return tier === 0 ? chain : `${chain}/${tier + 1}`;
}

/** Under which name each thing is in place. */
export class FreshNames {
  readonly #names = new Map<string, string>();
  readonly #taken = new Set<string>();

  /** @throws TypeError when nothing of that stem is in place */
  of(stem: string): string {
    const name = this.#names.get(stem);
    if (name === undefined) throw new TypeError(`there is nothing by the name of ${stem}`);
    return name;
  }

  /** A name for what is going to be in place of whatever was: it is that of the thing from now on. */
  next(stem: string): string {
    let name = stem;
    for (let count = 2; this.#taken.has(name); count++) name = `${stem}.${count}`;
    this.#taken.add(name);
    this.#names.set(stem, name);
    return name;
  }

  /** What had these names is no more. */
  free(names: Iterable<string>): void {
    for (const name of names) this.#taken.delete(name);
  }

  /** Nothing is in place any more. */
  forget(stem: string): void {
    this.#names.delete(stem);
  }

  /** Nothing at all is in place; these names are somebody else's for now. */
  reset(taken: Iterable<string>): void {
    this.#names.clear();
    this.#taken.clear();
    for (const name of taken) this.#taken.add(name);
  }
}
