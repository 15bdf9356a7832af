import { finding } from "../finding.ts";
import type { Part } from "./explanation.ts";
import type { Question } from "./question.ts";

/** What policies say of the way: of ICMP, for no port was asked about. */
export function policyPart({ policy }: Question): Part {
  if (policy === undefined) return { steps: [], findings: [] };
  const { from, to, egress, ingress, isAllowed } = policy;
  const details = [
    { name: "egress", value: egress },
    { name: "ingress", value: ingress },
    { name: "ports", value: `weave policy explain ${from} ${to} <port>` },
  ];
  const denied = `policies let no ping pass from ${from} to ${to}; a port may be another matter`;
  return {
    steps: [{ kind: "policy", title: "policies", details }],
    findings: isAllowed ? [] : [finding("POLICY_DENIES", from, denied)],
  };
}
