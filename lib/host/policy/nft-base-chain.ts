import { type IpFamily, parseCidr } from "../../base/ip.ts";
import type { Direction } from "../../policy/objects.ts";
import * as match from "../netlink/nft-match.ts";
import * as statement from "../netlink/nft-statement.ts";
import type { NftChain, NftRule } from "../netlink/nftables.ts";
import type { EnforcerOptions } from "./host-enforcer.ts";
import { type LogLabels, multicastOrigin } from "./log-labels.ts";
import { type ChainContext, droppingRules } from "./nft-chain.ts";
import { baseChain, selfSet, targetMap } from "./nft-names.ts";

/**
 * Where packets enter. What is not judged leaves first, and what most packets are before all else:
 *
 *   not of the bridge ─┬▶ return
 *   connection known  ─┤
 *   neighbours        ─┤
 *   groups            ─┤   or dropped, or judged as any other
 *   to itself         ─┘
 *   by its source     ──▶ egress4, egress6     a map knows the chain of each pod; who is not in it,
 *   by its destination ─▶ ingress4, ingress6   or returns from there, goes on
 */
const groups = { 4: parseCidr("224.0.0.0/4"), 6: parseCidr("ff00::/8") } as const;

/**
 * By which hosts of IPv6 find each other and their routers (RFC 4861 §4), and say which groups they
 * hear (RFC 2710 §3, RFC 3810 §5.2): without that, bridges that listen keep questions from neighbours.
 */
const [listenerQuery, redirect, listenerReport] = [130, 137, 143];

/** Before the filters of hosts, so that these see what policies let through, and only that. */
const hook = { type: "filter", at: "forward", priority: -5 } as const;

export function forwardChain(
  { bridge, multicast }: Pick<EnforcerOptions, "bridge" | "multicast">,
  families: readonly IpFamily[],
  { labels, nameOfSet }: ChainContext,
): NftChain {
  const rules: NftRule[] = [
    leaving(
      [...match.inputInterface(bridge, false), ...match.outputInterface(bridge, false)],
      "nothing of pods",
    ),
    leaving(match.connectionKnown(), "has been let through"),
    leaving(match.icmpv6Type(listenerQuery, redirect), "neighbours find each other"),
    leaving(match.icmpv6Type(listenerReport), "neighbours say what they hear"),
    ...([4, 6] as const).flatMap((family) => groupRules(family, { bridge, multicast }, labels)),
    ...families.map((family) =>
      leaving(
        [...match.ofFamily(family), ...match.addressPairInSet(family, nameOfSet(selfSet(family)))],
        "a pod to itself",
      ),
    ),
    ...families.flatMap((family) => [
      judging("egress", family, match.inputInterface(bridge), nameOfSet),
      judging("ingress", family, match.outputInterface(bridge), nameOfSet),
    ]),
  ];
  return { name: baseChain, hook, rules };
}

function leaving(matches: readonly Uint8Array[], comment: string): NftRule {
  return { expressions: [...matches, statement.leaveChain()], comment };
}

function judging(
  direction: Direction,
  family: IpFamily,
  ofPods: readonly Uint8Array[],
  nameOfSet: ChainContext["nameOfSet"],
): NftRule {
  const field = direction === "egress" ? "source" : "destination";
  const byMap = statement.verdictByMap(nameOfSet(targetMap(direction, family)), field, family);
  return { expressions: [...ofPods, ...match.ofFamily(family), ...byMap] };
}

function groupRules(
  family: IpFamily,
  { bridge, multicast }: Pick<EnforcerOptions, "bridge" | "multicast">,
  labels: LogLabels,
): NftRule[] {
  const toGroup = [...match.ofFamily(family), ...match.destination(groups[family])];
  switch (multicast) {
    case "allow":
      return [leaving(toGroup, multicastOrigin)];
    case "egress":
      return [];
    case "deny": {
      const dropping = (direction: Direction, ofPods: readonly Uint8Array[]): NftRule[] =>
        droppingRules([...ofPods, ...toGroup], labels.labelOf(direction, multicastOrigin));
      return [
        ...dropping("egress", match.inputInterface(bridge)),
        ...dropping("ingress", match.outputInterface(bridge)),
      ];
    }
  }
}
