import { isDeepStrictEqual } from "node:util";
import {
  cidrContains,
  familyOf,
  formatHostIp,
  type HostIp,
  parseIp,
} from "../../../lib/base/ip.ts";
import type { Direction, TransportProtocol } from "../../../lib/policy/objects.ts";
import {
  type ChainKey,
  formatPortElement,
  type Rule,
  type RuleSet,
  type RuleSetChange,
  type SetChanges,
  type SetKey,
} from "../../../lib/policy/rule-set.ts";

export interface JudgedPacket {
  readonly source: HostIp;
  readonly destination: HostIp;
  readonly port?: { readonly protocol: TransportProtocol; readonly number: number };
}

/** Whether a rule set lets a packet of a new connection pass, read from it word by word. */
export function passes(rules: RuleSet, packet: JudgedPacket): boolean {
  if (packet.source === packet.destination) return true;
  return allows(rules, packet, "egress") && allows(rules, packet, "ingress");
}

function allows(rules: RuleSet, packet: JudgedPacket, direction: Direction): boolean {
  const [own, peer] =
    direction === "egress"
      ? [packet.source, packet.destination]
      : [packet.destination, packet.source];
  const key = rules.targets[direction].get(own);
  if (key === undefined) return true;
  for (const tier of rules.chains.get(key)!.tiers) {
    const rule = tier.find((each) => matches(rules, each, peer, packet));
    if (rule?.verdict === "deny") return false;
    if (rule?.verdict === "allow") return true;
  }
  return true;
}

function matches(rules: RuleSet, rule: Rule, peer: HostIp, packet: JudgedPacket): boolean {
  return matchesPeer(rules, rule, peer) && matchesPorts(rules, rule, packet);
}

function matchesPeer({ sets }: RuleSet, { peer: match }: Rule, peer: HostIp): boolean {
  if (match.kind === "any") return true;
  if (match.kind === "set") return sets.get(match.set)!.has(peer);
  const address = parseIp(formatHostIp(peer));
  const isIn = (cidr: typeof match.block) => cidrContains(cidr, address);
  return isIn(match.block) && !match.except.some(isIn);
}

function matchesPorts({ portSets }: RuleSet, { ports }: Rule, packet: JudgedPacket): boolean {
  const { port, destination } = packet;
  if (ports === "any") return true;
  if (port === undefined) return false;
  return ports.some((match) => {
    if (match.kind === "numbers") {
      const { first, last, protocol } = match;
      return protocol === port.protocol && port.number >= first && port.number <= last;
    }
    const element = { address: destination, protocol: port.protocol, port: port.number };
    return portSets.get(match.set)!.has(formatPortElement(element));
  });
}

/** What has to be done to get from one rule set to another. */
export function changeBetween(before: RuleSet, after: RuleSet): RuleSetChange {
  const targets = (direction: Direction) => {
    const [old, now] = [before.targets[direction], after.targets[direction]];
    return {
      put: new Map([...now].filter(([ip, key]) => old.get(ip) !== key)),
      remove: [...old.keys()].filter((ip) => !now.has(ip)),
    };
  };
  const put = [...after.chains].filter(
    ([key, chain]) => !isDeepStrictEqual(before.chains.get(key), chain),
  );
  return {
    sets: setChanges(before.sets, after.sets, (set) => [...set]),
    portSets: setChanges(before.portSets, after.portSets, (set) => [...set.values()]),
    chains: { put: new Map(put), remove: goneOf<ChainKey>(before.chains, after.chains) },
    targets: { ingress: targets("ingress"), egress: targets("egress") },
  };
}

function setChanges<Whole, Element>(
  before: ReadonlyMap<SetKey, Whole>,
  after: ReadonlyMap<SetKey, Whole>,
  elements: (whole: Whole) => Element[],
): SetChanges<Element> {
  const without = (these: Element[], those: Element[]) => {
    const texts = new Set(those.map((each) => JSON.stringify(each)));
    return these.filter((each) => !texts.has(JSON.stringify(each)));
  };
  const staying = [...after].filter(([key]) => before.has(key));
  const change = staying.map(([key, whole]) => {
    const [old, now] = [elements(before.get(key)!), elements(whole)];
    return [key, { add: without(now, old), remove: without(old, now) }] as const;
  });
  return {
    add: new Map(
      [...after].filter(([key]) => !before.has(key)).map(([key, whole]) => [key, elements(whole)]),
    ),
    remove: goneOf(before, after),
    change: new Map(change.filter(([, { add, remove }]) => add.length + remove.length > 0)),
  };
}

function goneOf<Key>(before: ReadonlyMap<Key, unknown>, after: ReadonlyMap<Key, unknown>): Key[] {
  return [...before.keys()].filter((key) => !after.has(key));
}

export function sameFamily({ source, destination }: JudgedPacket): boolean {
  return familyOf(source) === familyOf(destination);
}
