import type { IpFamily } from "../../lib/base/ip.ts";
import { IpsetEnforcer } from "../../lib/host/policy/ipset-enforcer.ts";
import { suiteCases } from "../policy/suites/index.ts";
import { policyMatrix } from "./policy-matrix.ts";

/**
 * Those that this packet filter has a part in: which pods a policy means is known before, and the
 * same for all packet filters.
 */
const cases = suiteCases.filter(({ id }) =>
  /^(upstream|cyclonus-(port-protocol|action|conflict))-/.test(id),
);

for (const [hosts, program] of [
  [1, "iptables"],
  [2, "iptables-legacy"],
] as const) {
  policyMatrix(`policies by ${program} and sets on ${hosts === 1 ? "one host" : "two hosts"}`, {
    tag: `ki${hosts}`,
    hosts,
    cases,
    protocols: ["TCP", "UDP"],
    makeEnforcer: (options) => new IpsetEnforcer(options, programsOf(program)),
  });
}

function programsOf(program: string): ReadonlyMap<IpFamily, string> {
  return new Map([
    [4, program],
    [6, program.replace("ip", "ip6")],
  ]);
}
