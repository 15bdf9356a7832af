import { type IpFamily, parseCidr, parseIpv4 } from "../../base/ip.ts";
import {
  formatPortElement,
  type PortElement,
  type Rule,
  type RuleSet,
} from "../../policy/rule-set.ts";
import type { NftTable } from "../netlink/nftables.ts";
import type { EnforcerOptions } from "./host-enforcer.ts";
import { LogLabels } from "./log-labels.ts";
import { NftPolicyTable } from "./nft-policy-table.ts";

/** Addresses for documentation (RFC 5737, RFC 3849). */
const examples = {
  4: { address: parseIpv4("192.0.2.1"), block: "192.0.2.0/24", except: "192.0.2.8/32" },
  6: { address: "2001:db8::1", block: "2001:db8::/64", except: "2001:db8::8/128" },
} as const;

/**
 * A table with everything that the one of a family may have, under another name.
 *
 * @param dropsCut as of {@link EnforcerOptions}
 */
export function rehearsal(family: IpFamily, dropsCut: boolean): NftTable {
  const options = { bridge: "weave", multicast: "deny", dropsCut } as const;
  const table = new NftPolicyTable(family, options, new LogLabels()).create(everything(family));
  return { ...table, name: `${table.name}-rehearsal` };
}

function everything(family: IpFamily): RuleSet {
  const { address, block, except } = examples[family];
  const port: PortElement = { address, protocol: "TCP", port: 1 };
  const pass: Rule = {
    peer: { kind: "block", block: parseCidr(block), except: [parseCidr(except)] },
    ports: [
      { kind: "numbers", protocol: "SCTP", first: 1, last: 2 },
      { kind: "set", set: "ports" },
    ],
    verdict: "pass",
    origin: "",
  };
  const deny: Rule = {
    peer: { kind: "set", set: "peers" },
    ports: "any",
    verdict: "deny",
    origin: "",
  };
  return {
    sets: new Map([["peers", new Set([address])]]),
    portSets: new Map([["ports", new Map([[formatPortElement(port), port]])]]),
    chains: new Map([["chain", { tiers: [[pass], [deny]] }]]),
    targets: { ingress: new Map([[address, "chain"]]), egress: new Map() },
  };
}
