import { parseCidr, parseIpv4 } from "../../base/ip.ts";
import {
  formatPortElement,
  type PortElement,
  type Rule,
  type RuleSet,
} from "../../policy/rule-set.ts";
import type { NftTable } from "../netlink/nftables.ts";
import { LogLabels } from "./log-labels.ts";
import { NftPolicyTable } from "./nft-policy-table.ts";

/** A table with everything that the one of policies may have, under another name. */
export function rehearsal(): NftTable {
  const options = { bridge: "weave", multicast: "deny" } as const;
  const table = new NftPolicyTable(options, new LogLabels()).create(everything());
  return { ...table, name: `${table.name}-rehearsal` };
}

function everything(): RuleSet {
  const address = parseIpv4("192.0.2.1");
  const port: PortElement = { address, protocol: "TCP", port: 1 };
  const block = parseCidr("192.0.2.0/24");
  const pass: Rule = {
    peer: { kind: "block", block, except: [parseCidr("192.0.2.8/32")] },
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
