import type { IpFamily } from "../../base/ip.ts";
import type { Direction } from "../../policy/objects.ts";
import type { Chain, PeerMatch, PortMatch, Rule } from "../../policy/rule-set.ts";
import * as match from "../netlink/nft-match.ts";
import * as statement from "../netlink/nft-statement.ts";
import type { NftChain, NftRule } from "../netlink/nftables.ts";
import { rangesWithout } from "./block-ranges.ts";
import { type LogLabels, logGroup, toldAtOnce, toldPerSecond } from "./log-labels.ts";
import { transports } from "./nft-elements.ts";
import { selfSet, setStem, tierName } from "./nft-names.ts";

/**
 * A chain of a rule set, for packets of one direction, in chains of nf_tables: one for each tier.
 * Packets are sent into the first by a map that knows their pod, and who returns has been let through;
 * other tables still have their say.
 *
 *   allow ──▶ return        deny ──▶ told of, counted, dropped        pass ──▶ goto the next tier
 *
 * The map is asked about addresses alone. What else a packet must have to be judged is looked at when
 * something might drop it, and not before: most packets are allowed by a rule.
 */
export interface ChainPlace {
  readonly direction: Direction;
  /** In nf_tables. */
  readonly name: string;
  /** What it stands for. */
  readonly comment: string;
}

export interface ChainContext {
  readonly family: IpFamily;
  /** What pods are at. */
  readonly bridge: string;
  readonly labels: LogLabels;
  /** The name of a set by its stem. */
  readonly nameOfSet: (stem: string) => string;
}

/** Enough for the headers up to the ports, those of IPv6 with extensions included. */
export const toldOctetsMax = 128;

export function nftChains(chain: Chain, place: ChainPlace, context: ChainContext): NftChain[] {
  const tiers = chain.tiers.filter((rules) => rules.length > 0);
  // A chain without rules lets everything through; it exists, because something leads to it.
  const all = tiers.length === 0 ? [[]] : tiers;
  const firstToRefuse = all.flat().find(({ verdict }) => verdict !== "allow");
  return all.map((rules, tier): NftChain => {
    const next = tier + 1 < all.length ? tierName(place.name, tier + 1) : undefined;
    const own = rules.flatMap((rule) => [
      ...(rule === firstToRefuse ? excuses(place.direction, context) : []),
      ...nftRules(rule, place, next, context),
    ]);
    const onwards = next === undefined ? [] : [{ expressions: [statement.goTo(next)] }];
    const { comment } = place;
    return { name: tierName(place.name, tier), rules: [...own, ...onwards], comment };
  });
}

/** By which packets leave that are nobody's to drop. */
function excuses(direction: Direction, { family, bridge, nameOfSet }: ChainContext): NftRule[] {
  const elsewhere =
    direction === "egress"
      ? match.inputInterface(bridge, false)
      : match.outputInterface(bridge, false);
  const toItself = match.addressPairInSet(family, nameOfSet(selfSet));
  return [
    { expressions: [...elsewhere, statement.leaveChain()], comment: "not of a pod here" },
    { expressions: [...toItself, statement.leaveChain()], comment: "a pod to itself" },
  ];
}

/** Drops packets that get so far, and tells of some. */
export function droppingRules(matches: readonly Uint8Array[], label: string): NftRule[] {
  const told = statement.limit(toldPerSecond, toldAtOnce);
  const log = statement.log(logGroup, label, toldOctetsMax);
  return [
    { expressions: [...matches, told, log] },
    { expressions: [...matches, statement.counter(), statement.drop()] },
  ];
}

function nftRules(
  rule: Rule,
  place: ChainPlace,
  next: string | undefined,
  context: ChainContext,
): NftRule[] {
  const { direction } = place;
  const ports = portMatches(rule.ports, context);
  const matches = peerMatches(rule.peer, direction, context).flatMap((peer) =>
    ports.map((port) => [...peer, ...port]),
  );
  const { origin: comment } = rule;
  return matches.flatMap((expressions): NftRule[] => {
    if (rule.verdict === "deny") {
      const label = context.labels.labelOf(direction, rule.origin);
      const dropping = droppingRules(expressions, label);
      return dropping.map((each) => ({ ...each, comment }));
    }
    const onwards = rule.verdict === "pass" && next !== undefined;
    const verdict = onwards ? statement.goTo(next) : statement.leaveChain();
    return [{ expressions: [...expressions, verdict], comment }];
  });
}

/** Each of them lets packets of some peers through; together they let those of all through. */
function peerMatches(
  peer: PeerMatch,
  direction: Direction,
  { family, nameOfSet }: ChainContext,
): Uint8Array[][] {
  const field = direction === "ingress" ? "source" : "destination";
  switch (peer.kind) {
    case "any":
      return [[]];
    case "set": {
      const set = nameOfSet(setStem({ kind: "a", key: peer.set }));
      return [match.addressInSet(field, family, set)];
    }
    case "block": {
      const { block, except } = peer;
      if (block.address.family !== family) return [];
      if (except.length === 0) return [match.addressIn(field, block)];
      return rangesWithout(block, except).map(({ first, last }) =>
        match.addressFrom(field, first, last),
      );
    }
  }
}

function portMatches(
  ports: "any" | readonly PortMatch[],
  { family, nameOfSet }: ChainContext,
): Uint8Array[][] {
  if (ports === "any") return [[]];
  return ports.map((port) =>
    port.kind === "numbers"
      ? match.destinationPort(transports[port.protocol], port.first, port.last)
      : match.destinationPortInSet(family, nameOfSet(setStem({ kind: "p", key: port.set }))),
  );
}
