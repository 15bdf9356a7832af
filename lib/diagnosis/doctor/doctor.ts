import type { Facts } from "../facts.ts";
import { type Finding, sorted } from "../finding.ts";
import { checkAddresses, checkRefusals } from "./addresses.ts";
import { checkClocks } from "./clocks.ts";
import { checkContainers } from "./containers.ts";
import { checkFirewall } from "./firewall.ts";
import { checkHost } from "./host.ts";
import { checkIdentity } from "./identity.ts";
import { checkLinks } from "./links.ts";
import { checkPolicy } from "./policy.ts";
import { checkRouter } from "./router.ts";

/** All checks; each looks at the facts alone and says nothing where it has none. */
const checks: ReadonlyArray<(facts: Facts) => Finding[]> = [
  checkRouter,
  checkHost,
  checkFirewall,
  checkLinks,
  checkIdentity,
  checkAddresses,
  checkRefusals,
  checkClocks,
  checkContainers,
  checkPolicy,
];

/** What `weave doctor` finds, the worst first. */
export function examine(facts: Facts): Finding[] {
  return sorted(checks.flatMap((check) => check(facts)));
}
