import type { IpFamily } from "../../base/ip.ts";
import type { IpsetType } from "../netlink/ipset.ts";
import { shortName } from "./short-name.ts";

/**
 * Names of sets and chains as operators see them:
 *
 *   weave-4a-‹short name›      a set: of which family, of what
 *   WEAVE-NPC-‹short name›     what a chain of rules is in iptables
 *
 * All sets of the original begin with `weave-` too, but none of them looks like this.
 */
export const setKinds = {
  /** Addresses of peers. */
  a: "hash:ip",
  /** Ports at addresses. */
  p: "hash:ip,port",
  /** A network without some that are in it. */
  n: "hash:net",
  /** Addresses of pods whose packets go through one chain. */
  t: "hash:ip",
} as const satisfies Record<string, IpsetType>;

export type SetKind = keyof typeof setKinds;

const ourSet = /^weave-[46][apnt]-[a-z2-7]{16}$/;
const shortNameLength = 16;

/** @param stem by {@link freshStem} */
export function setName(family: IpFamily, kind: SetKind, stem: string): string {
  return `weave-${family}${kind}-${stem}`;
}

/** Whether the set is one of policies, made by a router of our kind. */
export function isOurSet(name: string): boolean {
  return ourSet.test(name);
}

export function stemOf(name: string): string {
  return name.slice(-shortNameLength);
}

/**
 * What a set for this key is to be called in both families, as none of `taken` is: a set whose rules
 * are about to go may be for the same key.
 */
export function freshStem(kind: SetKind, key: string, taken: ReadonlySet<string>): string {
  for (let attempt = 0; ; attempt++) {
    const stem = shortName(`${kind} ${attempt} ${key}`);
    if (!taken.has(stem)) return stem;
  }
}

/** Where packets enter, and where those of one direction part. */
export const entryChain = "WEAVE-NPC";
export const directionChains = {
  ingress: "WEAVE-NPC-INGRESS",
  egress: "WEAVE-NPC-EGRESS",
} as const;

/** Where those of connections that were cut end. */
export const cutChain = `${entryChain}-CUT`;

/** At most 28 characters, which is what iptables takes. */
export function chainName(key: string): string {
  return `${entryChain}-${shortName(key)}`;
}

export function isOurChain(name: string): boolean {
  return name === entryChain || name.startsWith(`${entryChain}-`);
}
