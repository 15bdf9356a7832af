import { cidrContains, familyOf, type HostIp, ipOf, parseCidr } from "../base/ip.ts";
import { isLinkLocal, judgesAnybody } from "./link-local.ts";
import type { PortAt } from "./match.ts";
import {
  type ChainKey,
  formatPortElement,
  heldKey,
  type PeerMatch,
  type Rule,
  type RuleSet,
} from "./rule-set.ts";

/**
 * A connection as the packet filter sees its first packet: with the address of whoever opens it, and
 * the one that it has come to behind a service's translation.
 */
export interface Opening {
  readonly source: HostIp;
  readonly destination: HostIp;
  /** At the destination; missing for ICMP and others that have none. */
  readonly port: PortAt | undefined;
}

export type OpeningVerdict =
  | "allowed"
  | "denied"
  /** It is kept from beginning for as long as nobody has told whose one of the addresses is. */
  | "held";

/** What a packet filter knows beside its rules. */
export interface FilterPlace {
  /** Whether rules are asked about traffic to groups, and no launch option decides. */
  readonly judgesGroups: boolean;
  /** Whether an address is the machine's own: what it and its pods say to each other is not forwarded. */
  isOwn(address: HostIp): boolean;
}

/** Whether rules would let a connection begin, where they are in place. */
export function openingVerdict(
  rules: RuleSet,
  opening: Opening,
  place: FilterPlace,
): OpeningVerdict {
  const { source, destination } = opening;
  const sending = rules.targets.egress.get(source);
  const receiving = rules.targets.ingress.get(destination);
  const leadsRound = isLinkLocal(source) || isLinkLocal(destination);
  // So it is for most: they are of nobody here.
  if (sending === undefined && receiving === undefined && !leadsRound) return "allowed";
  if (isNotJudged(opening, place)) return "allowed";
  if (leadsRound && judgesAnybody(rules)) return "denied";
  if (sending === heldKey || receiving === heldKey) return "held";
  const isAllowed =
    isLetBy(rules, sending, destination, opening) && isLetBy(rules, receiving, source, opening);
  return isAllowed ? "allowed" : "denied";
}

function isNotJudged({ source, destination }: Opening, place: FilterPlace): boolean {
  if (source === destination || place.isOwn(source) || place.isOwn(destination)) return true;
  return !place.judgesGroups && isGroup(destination);
}

const groups = { 4: parseCidr("224.0.0.0/4"), 6: parseCidr("ff00::/8") } as const;

function isGroup(address: HostIp): boolean {
  return cidrContains(groups[familyOf(address)], ipOf(address));
}

/** @param key `undefined`: nobody is asked */
function isLetBy(
  rules: RuleSet,
  key: ChainKey | undefined,
  peer: HostIp,
  opening: Opening,
): boolean {
  const { tiers } = (key === undefined ? undefined : rules.chains.get(key)) ?? { tiers: [] };
  for (const tier of tiers) {
    const rule = tier.find(
      (each) => isPeer(rules, each.peer, peer) && isPort(rules, each, opening),
    );
    if (rule?.verdict === "allow") return true;
    if (rule?.verdict === "deny") return false;
  }
  return true;
}

function isPeer({ sets }: RuleSet, match: PeerMatch, address: HostIp): boolean {
  switch (match.kind) {
    case "any":
      return true;
    case "set":
      return sets.get(match.set)?.has(address) === true;
    case "block": {
      const ip = ipOf(address);
      return (
        cidrContains(match.block, ip) && !match.except.some((except) => cidrContains(except, ip))
      );
    }
  }
}

function isPort({ portSets }: RuleSet, { ports }: Rule, { destination, port }: Opening): boolean {
  if (ports === "any") return true;
  if (port === undefined) return false;
  return ports.some((match) =>
    match.kind === "set"
      ? portSets.get(match.set)?.has(formatPortElement({ address: destination, ...port })) === true
      : match.protocol === port.protocol && match.first <= port.port && port.port <= match.last,
  );
}
