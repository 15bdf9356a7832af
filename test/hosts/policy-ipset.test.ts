import type { IpFamily } from "../../lib/base/ip.ts";
import { IpsetEnforcer } from "../../lib/host/policy/ipset-enforcer.ts";
import { suiteCases } from "../policy/suites/index.ts";
import { policyBehaviour } from "./policy-behaviour.ts";
import { policyMatrix } from "./policy-matrix.ts";

/**
 * Those that this packet filter has a part in: which pods a policy means is known before, and the
 * same for all packet filters.
 */
const cases = suiteCases.filter(({ id }) =>
  /^(upstream|cyclonus-(port-protocol|action|conflict))-/.test(id),
);

// Each half of the kernel does what it is told by the same words, and has its own way to do it.
policyMatrix("policies by iptables-legacy and sets on two hosts", {
  tag: "ki",
  hosts: 2,
  cases,
  protocols: ["TCP", "UDP"],
  makeEnforcer: (options) => new IpsetEnforcer(options, programsOf("iptables-legacy")),
});

policyBehaviour("a packet filter of iptables", {
  tag: "kib",
  makeEnforcer: (options) => new IpsetEnforcer(options, programsOf("iptables")),
  flips: 10,
});

function programsOf(program: string): ReadonlyMap<IpFamily, string> {
  return new Map([
    [4, program],
    [6, program.replace("ip", "ip6")],
  ]);
}
