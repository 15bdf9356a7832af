import { formatCidr, type IpFamily } from "../../base/ip.ts";
import type { MulticastPolicy } from "../../policy/enforcer.ts";
import { linkLocal, linkLocalOrigin } from "../../policy/link-local.ts";
import type { Direction } from "../../policy/objects.ts";
import { cutMark } from "./cut-mark.ts";
import type { EnforcerOptions } from "./host-enforcer.ts";
import { type ChainLines, denyWords } from "./ipset-lines.ts";
import { cutChain, directionChains, entryChain, setName } from "./ipset-name.ts";
import { multicastOrigin } from "./log-labels.ts";

/**
 * How packets come to the chains of their pods. In table `mangle`, whose FORWARD is asked before
 * that of `filter`: what kube-proxy, Docker, a firewall of the host or the router itself accept
 * there has been judged before, whoever put its rule in front of whose.
 *
 *   FORWARD ─ first rule ─▶ WEAVE-NPC            known connections, neighbours, groups: RETURN
 *                            ├─ connection cut ──▶ WEAVE-NPC-CUT       before those, if asked for: DROP
 *                            ├─ from the bridge ─▶ WEAVE-NPC-EGRESS    source in a set ─▶ its chain
 *                            └─ to the bridge ───▶ WEAVE-NPC-INGRESS   destination in a set ─▶ its chain
 */
export interface EntryOptions {
  readonly bridge: string;
  readonly multicast: MulticastPolicy;
  /** Whether there are policies that could be gone round by link-local addresses. */
  readonly judgesAnybody: boolean;
  /** Whether the kernel can tell that a packet's ends are one. */
  readonly comparesEnds: boolean;
  /** As of {@link EnforcerOptions}. */
  readonly dropsCut: boolean;
  readonly labelOf: (direction: Direction, origin: string) => string;
}

/** The jump that leads to all others, and where it stands. */
export const entryJump = { from: "FORWARD", rule: `-j ${entryChain}` } as const;

const groups = { 4: "224.0.0.0/4", 6: "ff00::/8" } as const;
/**
 * Who listens to which group (RFC 2710, RFC 3810), and solicitations, advertisements and redirects
 * (RFC 4861): without these nobody finds anybody, and bridges that go by the former keep them from who
 * does not say.
 */
const discoveryTypes = [130, 131, 132, 133, 134, 135, 136, 137, 143] as const;

/** The first is where packets enter. */
export function entryChains(family: IpFamily, options: EntryOptions): ChainLines[] {
  const { bridge, dropsCut } = options;
  const entry = { name: entryChain, lines: entryLines(family, options) };
  if (!dropsCut) return [entry];
  const lines = [`-i ${bridge} -j DROP`, `-o ${bridge} -j DROP`];
  return [entry, { name: cutChain, lines }];
}

/** Of connections that were cut. */
export const isCut = `-m connmark --mark ${hex(cutMark)}/${hex(cutMark)}`;

function hex(bits: number): string {
  return `0x${bits.toString(16)}`;
}

function entryLines(family: IpFamily, options: EntryOptions): string[] {
  const { bridge, multicast, judgesAnybody, comparesEnds, dropsCut } = options;
  const discovery = discoveryTypes.map(
    (type) => `-p ipv6-icmp -m icmp6 --icmpv6-type ${type} -j RETURN`,
  );
  return [
    ...(dropsCut ? [`${isCut} -j ${cutChain}`] : []),
    "-m conntrack --ctstate RELATED,ESTABLISHED -j RETURN",
    ...(family === 6 ? discovery : []),
    ...(comparesEnds ? [`${sameEnds(family)} -j RETURN`] : []),
    ...(multicast === "allow" ? [`-d ${groups[family]} -j RETURN`] : []),
    ...(multicast === "deny" ? denyGroups(family, options) : []),
    ...(family === 6 && judgesAnybody ? denyLinkLocal(options) : []),
    `-i ${bridge} -j ${directionChains.egress}`,
    `-o ${bridge} -j ${directionChains.ingress}`,
  ];
}

function denyGroups(family: IpFamily, { bridge, labelOf }: EntryOptions): string[] {
  const links = { egress: `-i ${bridge}`, ingress: `-o ${bridge}` } as const;
  return (["egress", "ingress"] as const).flatMap((direction) =>
    denyWords(labelOf(direction, multicastOrigin)).map(
      (verdict) => `-d ${groups[family]} ${links[direction]} ${verdict}`,
    ),
  );
}

function denyLinkLocal({ bridge, labelOf }: EntryOptions): string[] {
  const verdicts = denyWords(labelOf("egress", linkLocalOrigin));
  const block = formatCidr(linkLocal);
  const ends = [`-s ${block}`, `-d ${block}`];
  return ends.flatMap((end) => verdicts.map((verdict) => `${end} -i ${bridge} ${verdict}`));
}

/** From one chain of a rule set to where packets of its targets enter it. */
export interface Jump {
  /** Of the set of its targets. */
  readonly stem: string;
  readonly chain: string;
}

/** A packet may be in several sets while one pod changes its chain: then all of them must allow it. */
export function directionLines(
  family: IpFamily,
  direction: Direction,
  jumps: readonly Jump[],
): ChainLines {
  const end = direction === "ingress" ? "dst" : "src";
  return {
    name: directionChains[direction],
    lines: jumps.map(
      ({ stem, chain }) => `-m set --match-set ${setName(family, "t", stem)} ${end} -j ${chain}`,
    ),
  };
}

/** Octets in a header where both addresses are, word by word. */
const ends = {
  4: [[12, 16]],
  6: [
    [8, 24],
    [12, 28],
    [16, 32],
    [20, 36],
  ],
} as const;

/**
 * What a pod says to itself through a service of its own comes by here with both addresses alike. No
 * match of iptables compares two fields of a packet, but one that runs a program of BPF does:
 *
 *   word of source ▸ X;  word of destination ▸ A;  A ≠ X: no match;  …  match
 */
export function sameEnds(family: IpFamily): string {
  const load = "32 0 0";
  const toIndex = "7 0 0 0";
  const words = ends[family];
  const instructions = words.flatMap(([source, destination], index) => {
    const otherWords = (words.length - 1 - index) * 4;
    const toNoMatch = otherWords + 1;
    return [`${load} ${source}`, toIndex, `${load} ${destination}`, `29 0 ${toNoMatch} 0`];
  });
  const program = [...instructions, "6 0 0 65535", "6 0 0 0"];
  return `-m bpf --bytecode "${program.length},${program.join(",")}"`;
}
