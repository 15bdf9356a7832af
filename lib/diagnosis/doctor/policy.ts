import type { BlockedFact, Facts } from "../facts.ts";
import { type Finding, finding } from "../finding.ts";
import { shellLine } from "../shell-words.ts";

/** Policies that are named for what they block. */
const blockedMax = 5;

/** Policies that do not hold as they were meant, here or on other hosts. */
export function checkPolicy({ policy }: Facts): Finding[] {
  if (policy === undefined) return [];
  const { trouble, standing, awaited, faults, idle, blocked } = policy;
  return [
    ...(trouble === undefined
      ? []
      : [
          finding("POLICY_NOT_ENFORCED", "policies", trouble.text, {
            ...(trouble.remedy !== "" && { remedy: trouble.remedy }),
          }),
        ]),
    ...(standing === undefined
      ? []
      : [finding("POLICY_STANDING", "policies", standing.text, { remedy: standing.remedy })]),
    ...(awaited.length === 0
      ? []
      : [
          finding(
            "POLICY_WAITING",
            "policies",
            `policies are not known as a whole: ${awaited.join(", ")} have not been told`,
          ),
        ]),
    ...faults.map((sentence) => finding("POLICY_UNREADABLE", "policies", sentence)),
    ...idle.map((host) =>
      finding("POLICY_HOST_IDLE", host, `${host} does not enforce policies for its containers`),
    ),
    ...blocked.slice(0, blockedMax).map(blocks),
  ];
}

function blocks({ policy, text, from, to, port, count }: BlockedFact): Finding {
  const often = count === 1 ? "" : `, ${count} of late, the last`;
  const ends = port === undefined ? [from, to] : [from, to, port];
  return finding("POLICY_BLOCKS", policy, `blocked by policy ${policy}${often}: ${text}`, {
    commands: [shellLine("weave", "policy", "explain", ...ends)],
  });
}
