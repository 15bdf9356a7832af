import type { IpFamily } from "../../base/ip.ts";
import type { Direction } from "../../policy/objects.ts";
import type { Chain, PeerMatch, PortMatch, Rule } from "../../policy/rule-set.ts";
import * as match from "../netlink/nft-match.ts";
import * as statement from "../netlink/nft-statement.ts";
import type { NftChain, NftRule } from "../netlink/nftables.ts";
import { rangesWithout } from "./block-ranges.ts";
import { type LogLabels, logGroup, toldAtOnce, toldPerSecond } from "./log-labels.ts";
import { transports } from "./nft-elements.ts";
import { setStem, tierName } from "./nft-names.ts";

/**
 * A chain of a rule set, for packets of one direction and family, in chains of nf_tables: one for
 * each tier. Packets are sent into the first by a map that knows their pod, and who returns has been
 * let through; other tables still have their say.
 *
 *   allow ──▶ return        deny ──▶ told of, counted, dropped        pass ──▶ goto the next tier
 */
export interface ChainPlace {
  readonly direction: Direction;
  readonly family: IpFamily;
  /** In nf_tables. */
  readonly name: string;
  /** What it stands for. */
  readonly comment: string;
}

export interface ChainContext {
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
  return all.map((rules, tier): NftChain => {
    const next = tier + 1 < all.length ? tierName(place.name, tier + 1) : undefined;
    const own = rules.flatMap((rule) => nftRules(rule, place, next, context));
    const onwards = next === undefined ? [] : [{ expressions: [statement.goTo(next)] }];
    const { comment } = place;
    return { name: tierName(place.name, tier), rules: [...own, ...onwards], comment };
  });
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
  { labels, nameOfSet }: ChainContext,
): NftRule[] {
  const { direction, family } = place;
  const ports = portMatches(rule.ports, family, nameOfSet);
  const matches = peerMatches(rule.peer, place, nameOfSet).flatMap((peer) =>
    ports.map((port) => [...peer, ...port]),
  );
  const { origin: comment } = rule;
  return matches.flatMap((expressions): NftRule[] => {
    if (rule.verdict === "deny") {
      const dropping = droppingRules(expressions, labels.labelOf(direction, rule.origin));
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
  { direction, family }: ChainPlace,
  nameOfSet: ChainContext["nameOfSet"],
): Uint8Array[][] {
  const field = direction === "ingress" ? "source" : "destination";
  switch (peer.kind) {
    case "any":
      return [[]];
    case "set":
      return [
        inFamily(
          family,
          match.addressInSet(
            field,
            family,
            nameOfSet(setStem(family, { kind: "a", key: peer.set })),
          ),
        ),
      ];
    case "block": {
      const { block, except } = peer;
      if (block.address.family !== family) return [];
      if (except.length === 0) return [inFamily(family, match.addressIn(field, block))];
      return rangesWithout(block, except).map(({ first, last }) =>
        inFamily(family, match.addressFrom(field, first, last)),
      );
    }
  }
}

function portMatches(
  ports: "any" | readonly PortMatch[],
  family: IpFamily,
  nameOfSet: ChainContext["nameOfSet"],
): Uint8Array[][] {
  if (ports === "any") return [[]];
  return ports.map((port) =>
    port.kind === "numbers"
      ? match.destinationPort(transports[port.protocol], port.first, port.last)
      : inFamily(
          family,
          match.destinationPortInSet(
            family,
            nameOfSet(setStem(family, { kind: "p", key: port.set })),
          ),
        ),
  );
}

/** No others come to the chain; but without it nobody could tell what is looked at in a packet. */
function inFamily(family: IpFamily, expressions: readonly Uint8Array[]): Uint8Array[] {
  return [...match.ofFamily(family), ...expressions];
}
