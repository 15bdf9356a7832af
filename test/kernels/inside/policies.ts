import { IpsetEnforcer } from "../../../lib/host/policy/ipset-enforcer.ts";
import { NftablesEnforcer } from "../../../lib/host/policy/nft-enforcer.ts";
import { policyMatrix } from "../../hosts/policy-matrix.ts";
import { suiteCases } from "../../policy/suites/index.ts";

/** Isolation by SCTP alone, its ports, names and ranges of them: what this kernel has time for. */
const cases = /^(upstream-(38|39|47|48)|cyclonus-port-protocol-(018|025))$/;

/** On a kernel that has sockets of SCTP. */
const options = {
  hosts: 1,
  cases: suiteCases.filter(({ id }) => cases.test(id)),
  protocols: ["TCP", "SCTP"],
} as const;

policyMatrix("policies for SCTP by iptables-legacy and sets", {
  ...options,
  tag: "kil",
  makeEnforcer: (how) =>
    new IpsetEnforcer(
      how,
      new Map([
        [4, "iptables-legacy"],
        [6, "ip6tables-legacy"],
      ]),
    ),
});

policyMatrix("policies for SCTP by nftables", {
  ...options,
  tag: "kin",
  makeEnforcer: (how) => new NftablesEnforcer(how),
});
