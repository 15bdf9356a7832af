import { cidrContains, type HostIp, type IpAddress, parseIp } from "../../lib/base/ip.ts";
import type { PortAt } from "../../lib/policy/match.ts";
import {
  type ChainKey,
  formatPortElement,
  type PeerMatch,
  type PortMatch,
  type RuleSet,
} from "../../lib/policy/rule-set.ts";

export interface Packet {
  readonly source: HostIp;
  readonly destination: HostIp;
  readonly port?: PortAt | undefined;
}

/**
 * What a packet filter that follows `rules` to the letter does with the first packet of a connection.
 *
 * @throws Error when the rules speak of something that they do not have
 */
export function isLetThrough(rules: RuleSet, packet: Packet): boolean {
  if (packet.source === packet.destination) return true;
  const { ingress, egress } = rules.targets;
  const sending = egress.get(packet.source);
  const receiving = ingress.get(packet.destination);
  if (sending !== undefined && !passes(rules, sending, packet, packet.destination)) return false;
  return receiving === undefined || passes(rules, receiving, packet, packet.source);
}

function passes(rules: RuleSet, key: ChainKey, packet: Packet, peer: HostIp): boolean {
  const chain = rules.chains.get(key);
  if (chain === undefined) throw new Error(`no chain ${key}`);
  for (const tier of chain.tiers) {
    const rule = tier.find(
      (each) => isPeer(rules, each.peer, peer) && isPort(rules, each.ports, packet),
    );
    if (rule?.verdict === "allow") return true;
    if (rule?.verdict === "deny") return false;
  }
  return true;
}

function isPeer(rules: RuleSet, match: PeerMatch, address: HostIp): boolean {
  if (match.kind === "any") return true;
  if (match.kind === "set") {
    const set = rules.sets.get(match.set);
    if (set === undefined) throw new Error(`no set ${match.set}`);
    return set.has(address);
  }
  const ip: IpAddress =
    typeof address === "number" ? { family: 4, value: address } : parseIp(address);
  const isExcepted = match.except.some((except) => cidrContains(except, ip));
  return cidrContains(match.block, ip) && !isExcepted;
}

function isPort(
  rules: RuleSet,
  matches: "any" | readonly PortMatch[],
  { destination, port }: Packet,
): boolean {
  if (matches === "any") return true;
  return matches.some((match) => {
    if (match.kind === "set") {
      const set = rules.portSets.get(match.set);
      if (set === undefined) throw new Error(`no set ${match.set}`);
      return port !== undefined && set.has(formatPortElement({ address: destination, ...port }));
    }
    return port?.protocol === match.protocol && match.first <= port.port && port.port <= match.last;
  });
}
