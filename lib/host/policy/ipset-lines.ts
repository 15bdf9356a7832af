import { cidrContains, formatCidr, type IpFamily, networkOf } from "../../base/ip.ts";
import type { Direction, TransportProtocol } from "../../policy/objects.ts";
import type { Chain, PeerMatch, PortMatch, Rule, SetKey } from "../../policy/rule-set.ts";
import { chainName } from "./ipset-name.ts";
import { logGroup, toldAtOnce, toldPerSecond } from "./log-labels.ts";

/**
 * A chain of a rule set in the words of iptables, one chain there for each of its tiers:
 *
 *   WEAVE-NPC-‹tier 1›   allow  -j RETURN             leaves to where the chain was entered
 *                        pass   -g WEAVE-NPC-‹tier 2›  goes on there, and from there does not return
 *                        deny   -j NFLOG, -j DROP
 *                        at its end  -g WEAVE-NPC-‹tier 2›
 *   WEAVE-NPC-‹tier 2›   …                            its end is that of the chain: allowed
 */
export interface LinesContext {
  readonly family: IpFamily;
  readonly direction: Direction;
  /** Unlike those of all other chains, also of the other direction. */
  readonly chainId: string;
  readonly addressSet: (key: SetKey) => string;
  readonly portSet: (key: SetKey) => string;
  readonly blockSet: (block: BlockMatch) => string;
  readonly labelOf: (direction: Direction, origin: string) => string;
}

/** A network without some that are in it. */
export type BlockMatch = Pick<Extract<PeerMatch, { kind: "block" }>, "block" | "except">;

export interface ChainLines {
  readonly name: string;
  /** Rules, without the `-A` and the name of the chain. */
  readonly lines: readonly string[];
}

/** The first is where the chain begins. */
export function chainLines(chain: Chain, context: LinesContext): ChainLines[] {
  // Without any tier there is still something to be entered.
  const tiers = chain.tiers.length === 0 ? [[]] : chain.tiers;
  return tiers.map((rules, index) => {
    const isLast = index === tiers.length - 1;
    const next = isLast ? "-j RETURN" : `-g ${tierName(context, index + 1)}`;
    const lines = rules.flatMap((rule) => ruleLines(rule, next, context));
    return { name: tierName(context, index), lines: isLast ? lines : [...lines, next] };
  });
}

function tierName({ chainId }: LinesContext, index: number): string {
  return chainName(`${chainId} ${index}`);
}

function ruleLines(rule: Rule, next: string, context: LinesContext): string[] {
  const peer = peerWords(rule.peer, context);
  if (peer === undefined) return [];
  const does = verdictWords(rule, next, context);
  const comment = commentWords(rule.origin);
  return portWords(rule.ports, context).flatMap((ports) =>
    does.map((verdict) => words(peer, ports, comment, verdict)),
  );
}

function verdictWords({ verdict, origin }: Rule, next: string, context: LinesContext): string[] {
  switch (verdict) {
    case "allow":
      return ["-j RETURN"];
    case "pass":
      return [next];
    case "deny":
      return denyWords(context.labelOf(context.direction, origin));
  }
}

/** Tells of the packet, unless there are many, and drops it. */
export function denyWords(label: string): string[] {
  const told = `-m limit --limit ${toldPerSecond}/sec --limit-burst ${toldAtOnce}`;
  // Each by itself, else the kernel waits a second for more.
  const log = `-j NFLOG --nflog-group ${logGroup} --nflog-threshold 1 --nflog-prefix ${label}`;
  return [`${told} ${log}`, "-j DROP"];
}

/** `undefined` when no packet of this family has such a peer. */
function peerWords(peer: PeerMatch, context: LinesContext): string | undefined {
  const isSource = context.direction === "ingress";
  const inSet = (name: string) => `-m set --match-set ${name} ${isSource ? "src" : "dst"}`;
  switch (peer.kind) {
    case "any":
      return "";
    case "set":
      return inSet(context.addressSet(peer.set));
    case "block": {
      const { block, except } = narrowed(peer);
      if (block.address.family !== context.family || isEmpty({ block, except })) return undefined;
      if (except.length > 0) return inSet(context.blockSet({ block, except }));
      return block.prefix === 0 ? "" : `${isSource ? "-s" : "-d"} ${formatCidr(block)}`;
    }
  }
}

/** A block of a rule that it takes a set to find an address in. */
export function blockInSet({ peer }: Rule): BlockMatch | undefined {
  if (peer.kind !== "block") return undefined;
  const block = narrowed(peer);
  return block.except.length === 0 || isEmpty(block) ? undefined : block;
}

function isEmpty({ block, except }: BlockMatch): boolean {
  return except.some(({ prefix }) => prefix <= block.prefix);
}

/** With the exceptions that take something from the block, and all without host bits. */
function narrowed({ block, except }: BlockMatch): BlockMatch {
  const network = networkOf(block);
  const touching = except
    .map(networkOf)
    .filter(
      (each) =>
        cidrContains(network, each.address) ||
        (each.prefix < network.prefix && cidrContains(each, network.address)),
    );
  return { block: network, except: touching };
}

/** A match of iptables compares with so many ports, of which a range is two. */
const portsPerMatchMax = 15;
const allPorts = { first: 0, last: 65_535 } as const;

/** Each is enough. */
function portWords(ports: Rule["ports"], context: LinesContext): string[] {
  if (ports === "any") return [""];
  const sets = ports
    .filter((match) => match.kind === "set")
    .map(({ set }) => `-m set --match-set ${context.portSet(set)} dst,dst`);
  const protocols = Object.groupBy(
    ports.filter((match) => match.kind === "numbers"),
    ({ protocol }) => protocol,
  );
  const numbers = Object.entries(protocols).flatMap(([protocol, ranges]) =>
    rangeWords(protocol.toLowerCase() as Lowercase<TransportProtocol>, ranges),
  );
  return [...numbers, ...sets];
}

type Ranges = readonly Extract<PortMatch, { kind: "numbers" }>[];

function rangeWords(protocol: Lowercase<TransportProtocol>, ranges: Ranges): string[] {
  if (ranges.some(({ first, last }) => first <= allPorts.first && last >= allPorts.last)) {
    return [`-p ${protocol}`];
  }
  const matches: string[][] = [];
  let left = 0;
  for (const { first, last } of ranges) {
    const cost = first === last ? 1 : 2;
    if (left < cost) {
      matches.push([]);
      left = portsPerMatchMax;
    }
    matches.at(-1)!.push(first === last ? `${first}` : `${first}:${last}`);
    left -= cost;
  }
  return matches.map((each) => `-p ${protocol} -m multiport --dports ${each.join()}`);
}

const commentCharactersMax = 200;

/** Whose rule it is, for whoever lists them. */
function commentWords(origin: string): string {
  const text = origin.replaceAll(/[^\w ./:@-]/g, "_").slice(0, commentCharactersMax);
  return text === "" ? "" : `-m comment --comment "${text}"`;
}

function words(...parts: readonly string[]): string {
  return parts.filter((part) => part !== "").join(" ");
}
