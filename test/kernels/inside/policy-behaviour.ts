import { NftablesEnforcer } from "../../../lib/host/policy/nft-enforcer.ts";
import { policyBehaviour } from "../../hosts/policy-behaviour.ts";

/** On a kernel that is older than the machine's, and on processors that stop anywhere. */
policyBehaviour("a packet filter of nftables", {
  tag: "knq",
  flips: 100,
  makeEnforcer: (options) => new NftablesEnforcer(options),
});
