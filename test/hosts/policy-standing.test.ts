import type { IpFamily } from "../../lib/base/ip.ts";
import { IpsetEnforcer } from "../../lib/host/policy/ipset-enforcer.ts";
import { NftablesEnforcer } from "../../lib/host/policy/nft-enforcer.ts";
import { policyStanding } from "./policy-standing.ts";

policyStanding("connections that stand, by nftables", {
  tag: "ksn",
  makeEnforcer: (options) => new NftablesEnforcer(options),
});

// Each half of the kernel has its own way to compare marks.
for (const program of ["iptables", "iptables-legacy"]) {
  policyStanding(`connections that stand, by ${program}`, {
    tag: program === "iptables" ? "ksi" : "ksl",
    makeEnforcer: (options) => new IpsetEnforcer(options, programsOf(program)),
  });
}

function programsOf(program: string): ReadonlyMap<IpFamily, string> {
  return new Map([
    [4, program],
    [6, program.replace("ip", "ip6")],
  ]);
}
