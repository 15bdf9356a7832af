import type { IpFamily } from "../../base/ip.ts";
import type { Direction } from "../../policy/objects.ts";
import type { ChainKey, SetKey } from "../../policy/rule-set.ts";
import type { NftTableId } from "../netlink/nft-message.ts";
import { shortName } from "./short-name.ts";

/**
 * How things are called in the table of policies, which nobody else touches:
 *
 *   chain forward                     where packets enter
 *   map   ingress4                    of which address which chain
 *   chain ingress4-‹short name›       a chain of rules, its first tier; `….2` is the second
 *   set   peers4-‹short name›         addresses
 *   set   ports4-‹short name›         ports at addresses
 *   set   self4                       addresses that are targets, each with itself
 */
export const policyTable: NftTableId = { family: "inet", name: "weave-npc" };
export const baseChain = "forward";

export function targetMap(direction: Direction, family: IpFamily): string {
  return `${direction}${family}`;
}

export function selfSet(family: IpFamily): string {
  return `self${family}`;
}

export function peerSet(family: IpFamily, key: SetKey): string {
  return `peers${family}-${shortName(key)}`;
}

export function portSet(family: IpFamily, key: SetKey): string {
  return `ports${family}-${shortName(key)}`;
}

export function chainName(direction: Direction, family: IpFamily, key: ChainKey): string {
  return `${direction}${family}-${shortName(key)}`;
}

/** @param tier from 0 */
export function tierName(chain: string, tier: number): string {
  return tier === 0 ? chain : `${chain}.${tier + 1}`;
}
