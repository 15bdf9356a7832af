import { cidrContains, type HostIp, ipOf, parseCidr } from "../base/ip.ts";
import type { RuleSet } from "./rule-set.ts";

/**
 * Addresses of IPv6 that every interface gives itself (RFC 4291 §2.5.6). Nobody tells whose they are, so
 * policies could be gone round by them: while anybody is judged here, nobody reaches a container by such
 * an address, or from one. The discovery of neighbours has been let through before, and groups have where
 * they are not judged.
 */
export const linkLocal = parseCidr("fe80::/10");

export function isLinkLocal(ip: HostIp): boolean {
  return typeof ip === "string" && cidrContains(linkLocal, ipOf(ip));
}

/** Of packets that are dropped for it. */
export const linkLocalOrigin = "link-local";

/** Whether there are policies to be gone round, of whichever family. */
export function judgesAnybody({ targets: { ingress, egress } }: Pick<RuleSet, "targets">): boolean {
  return ingress.size + egress.size > 0;
}
