import { NftablesEnforcer } from "../../lib/host/policy/nft-enforcer.ts";
import { suiteCases } from "../policy/suites/index.ts";
import { policyBehaviour } from "./policy-behaviour.ts";
import { policyMatrix } from "./policy-matrix.ts";

for (const hosts of [1, 2] as const) {
  policyMatrix(`policies by nftables on ${hosts === 1 ? "one host" : "two hosts"}`, {
    tag: `kn${hosts}`,
    hosts,
    cases: suiteCases,
    protocols: ["TCP", "UDP"],
    makeEnforcer: (options) => new NftablesEnforcer(options),
  });
}

policyBehaviour("a packet filter of nftables", {
  tag: "knb",
  makeEnforcer: (options) => new NftablesEnforcer(options),
  flips: 60,
});
