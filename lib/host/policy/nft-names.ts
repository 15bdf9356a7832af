import type { IpFamily } from "../../base/ip.ts";
import type { Direction } from "../../policy/objects.ts";
import type { ChainKey } from "../../policy/rule-set.ts";
import type { NftTableId } from "../netlink/nft-message.ts";
import type { SetId } from "./set-usage.ts";
import { shortName } from "./short-name.ts";

/**
 * How things are called in the table of policies, which nobody else touches:
 *
 *   chain forward                     where packets enter
 *   map   ingress4                    of which address which chain
 *   chain ingress4-‹short name›       a chain of rules, its first tier; `…/2` is the second
 *   set   peers4-‹short name›         addresses
 *   set   ports4-‹short name›         ports at addresses
 *   set   self4                       addresses that are targets, each with itself
 *
 * What takes the place of one of them stands beside it for a moment, and so ends with `.2`; and what
 * takes the place of that has the name without an ending again.
 */
export const policyTable: NftTableId = { family: "inet", name: "weave-npc" };
export const baseChain = "forward";

export function targetMap(direction: Direction, family: IpFamily): string {
  return `${direction}${family}`;
}

export function selfSet(family: IpFamily): string {
  return `self${family}`;
}

export function setStem(family: IpFamily, { kind, key }: SetId): string {
  return `${kind === "p" ? "ports" : "peers"}${family}-${shortName(key)}`;
}

export function chainStem(direction: Direction, family: IpFamily, key: ChainKey): string {
  return `${direction}${family}-${shortName(key)}`;
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
