import type { Facts } from "../facts.ts";
import { type Finding, finding } from "../finding.ts";

/** Policies that do not hold as they were meant, here or on other hosts. */
export function checkPolicy({ policy }: Facts): Finding[] {
  if (policy === undefined) return [];
  const { trouble, awaited, faults, idle } = policy;
  return [
    ...(trouble === undefined
      ? []
      : [
          finding("POLICY_NOT_ENFORCED", "policies", trouble.text, {
            ...(trouble.remedy !== "" && { remedy: trouble.remedy }),
          }),
        ]),
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
  ];
}
