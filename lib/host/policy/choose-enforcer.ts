import { WeaveError } from "../../base/errors.ts";
import type { EnforcerOptions, HostEnforcer } from "./host-enforcer.ts";
import {
  IpsetEnforcer,
  missingForConnectionMarks,
  missingForIpsets,
  removeIpsetPolicies,
} from "./ipset-enforcer.ts";
import { missingForNftables, NftablesEnforcer, removeNftablesPolicies } from "./nft-enforcer.ts";
import { removeOriginalNpc } from "./original-npc.ts";
import { missingForFlows } from "./standing-flows.ts";
import { SucceedingEnforcer } from "./succeeding-enforcer.ts";

/** By what policies are to be enforced: `auto` takes nftables where the kernel has what it needs. */
export const enforcerChoices = ["auto", "nftables", "iptables"] as const;
export type EnforcerChoice = (typeof enforcerChoices)[number];

export interface ChosenEnforcer {
  readonly enforcer: HostEnforcer;
  /** Why this one: a clause for status. */
  readonly reason: string;
  /** Why connections cannot be cut on this host although that was asked for: a clause. */
  readonly missingForCut?: string;
}

/** What a host has no enforcer for, if anything; looked at when it matters, because it costs. */
interface Missing {
  nftables(): string | undefined;
  iptables(): string | undefined;
}

/**
 * The packet filter of this host that enforces policies. What the other one has in place, by a
 * router that was told otherwise, and what an original's policy controller has left, goes once its
 * rules stand: two would both have to allow.
 *
 * @throws WeaveError `POLICY_NO_ENFORCER`; SystemError
 */
export function makeEnforcer(choice: EnforcerChoice, options: EnforcerOptions): ChosenEnforcer {
  const { name, reason } = chooseEnforcer(choice, {
    nftables: missingForNftables,
    iptables: missingForIpsets,
  });
  const isNftables = name === "nftables";
  const lacking = options.dropsCut ? missingForCut(isNftables) : undefined;
  const told = { ...options, dropsCut: options.dropsCut === true && lacking === undefined };
  const own = isNftables ? new NftablesEnforcer(told) : new IpsetEnforcer(told);
  const removeOthers = (): void => {
    if (isNftables) removeIpsetPolicies();
    else removeNftablesPolicies();
    if (removeOriginalNpc(options.bridge)) {
      options.log.info("policy: removed what a policy controller of Weave Net 2.x has left");
    }
  };
  const enforcer = new SucceedingEnforcer(own, removeOthers, options.log);
  return { enforcer, reason, ...(lacking !== undefined && { missingForCut: lacking }) };
}

/** A clause that says what this host has not. */
function missingForCut(isNftables: boolean): string | undefined {
  return missingForFlows() ?? (isNftables ? missingForNftables(true) : missingForConnectionMarks());
}

/**
 * Removes what enforces policies on this host, whoever left it. @throws WeaveError, SystemError
 */
export function removePolicies(bridge: string): void {
  removeNftablesPolicies();
  removeIpsetPolicies();
  removeOriginalNpc(bridge);
}

/** @throws WeaveError `POLICY_NO_ENFORCER` when there is none, or not the one that was asked for */
export function chooseEnforcer(
  choice: EnforcerChoice,
  missing: Missing,
): { readonly name: HostEnforcer["name"]; readonly reason: string } {
  const withoutNftables = choice === "iptables" ? undefined : missing.nftables();
  if (choice !== "iptables" && withoutNftables === undefined) {
    const reason = choice === "auto" ? "the kernel has all that it needs" : "asked for";
    return { name: "nftables", reason };
  }
  const withoutIptables = choice === "nftables" ? undefined : missing.iptables();
  if (choice !== "nftables" && withoutIptables === undefined) {
    return { name: "iptables", reason: withoutNftables ?? "asked for" };
  }
  const lacks = [withoutNftables, withoutIptables].filter((each) => each !== undefined);
  throw new WeaveError(
    "POLICY_NO_ENFORCER",
    `policies cannot be enforced on this host: ${lacks.join(", and ")}`,
    { remedy: "load the kernel's module nf_tables, or install iptables and load ip_set" },
  );
}
