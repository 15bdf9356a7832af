import { parseCidr } from "../../base/ip.ts";
import type { MulticastPolicy } from "../../policy/enforcer.ts";
import { linkLocal, linkLocalOrigin } from "../../policy/link-local.ts";
import type { Direction } from "../../policy/objects.ts";
import * as match from "../netlink/nft-match.ts";
import * as statement from "../netlink/nft-statement.ts";
import type { NftChain, NftRule } from "../netlink/nftables.ts";
import { cutMark } from "./cut-mark.ts";
import type { EnforcerOptions } from "./host-enforcer.ts";
import { multicastOrigin } from "./log-labels.ts";
import { type ChainContext, droppingRules } from "./nft-chain.ts";
import { baseChain, targetMap } from "./nft-names.ts";

/**
 * Where packets of a family enter. What is not judged leaves first, and what most packets are before
 * all else:
 *
 *   not of the bridge ─┬▶ return
 *   connection cut     │  dropped, where that was asked for
 *   connection known  ─┤
 *   neighbours        ─┤
 *   groups            ─┘   or dropped, or judged as any other
 *   link-local        ──▶ dropped while anybody is judged
 *   by its source     ──▶ egress     a map knows the chain of each pod; who is not in it,
 *   by its destination ─▶ ingress    or returns from there, goes on
 */
const groups = { 4: parseCidr("224.0.0.0/4"), 6: parseCidr("ff00::/8") } as const;

/**
 * By which hosts of IPv6 find each other and their routers (RFC 4861 §4), and say which groups they
 * hear (RFC 2710 §3, RFC 3810 §5.2): without that, bridges that listen keep questions from neighbours.
 */
const [listenerQuery, redirect, listenerReport] = [130, 137, 143];

const neighbourRules: readonly NftRule[] = [
  leaving(match.icmpv6Type(listenerQuery, redirect), "neighbours find each other"),
  leaving(match.icmpv6Type(listenerReport), "neighbours say what they hear"),
];

/** Before the filters of hosts, so that these see what policies let through, and only that. */
const hook = { type: "filter", at: "forward", priority: -5 } as const;

/** What an enforcer was told once and for all. */
export type BaseChainOptions = Pick<EnforcerOptions, "bridge" | "multicast" | "dropsCut">;

/** What is asked of packets of a family. */
export interface Judging {
  /** Whether there are maps of pods. */
  readonly ofPods: boolean;
  /** Whether anybody is judged, be it in the other family alone. */
  readonly ofAnybody: boolean;
}

export function forwardChain(
  { multicast, dropsCut = false }: BaseChainOptions,
  { ofPods, ofAnybody }: Judging,
  context: ChainContext,
): NftChain {
  const { bridge, family } = context;
  const rules: NftRule[] = [
    leaving(
      [...match.inputInterface(bridge, false), ...match.outputInterface(bridge, false)],
      "nothing of pods",
    ),
    ...(dropsCut ? [cutRule] : []),
    leaving(match.connectionKnown(), "has been let through"),
    ...(family === 6 ? neighbourRules : []),
    ...groupRules(multicast, context),
    ...(family === 6 && ofAnybody ? linkLocalRules(context) : []),
    ...(ofPods ? [judging("egress", context), judging("ingress", context)] : []),
  ];
  return { name: baseChain, hook, rules };
}

const cutRule: NftRule = {
  expressions: [...match.connectionMarked(cutMark), statement.counter(), statement.drop()],
  comment: "would not be let through any more",
};

function leaving(matches: readonly Uint8Array[], comment: string): NftRule {
  return { expressions: [...matches, statement.leaveChain()], comment };
}

function judging(direction: Direction, { family, nameOfSet }: ChainContext): NftRule {
  const field = direction === "egress" ? "source" : "destination";
  return { expressions: statement.verdictByMap(nameOfSet(targetMap(direction)), field, family) };
}

function linkLocalRules({ labels }: ChainContext): NftRule[] {
  const label = labels.labelOf("egress", linkLocalOrigin);
  const dropped = [match.source(linkLocal), match.destination(linkLocal)];
  return dropped
    .flatMap((matches) => droppingRules(matches, label))
    .map((rule) => ({ ...rule, comment: linkLocalOrigin }));
}

function groupRules(
  multicast: MulticastPolicy,
  { bridge, family, labels }: ChainContext,
): NftRule[] {
  const toGroup = match.destination(groups[family]);
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
