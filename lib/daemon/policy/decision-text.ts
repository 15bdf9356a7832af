import type { Direction } from "../../policy/objects.ts";
import { formatPolicyName } from "../../policy/policy-name.ts";
import type { Decision } from "../../policy/verdict.ts";

/** What one end says of a connection, for people and programs. */
export interface ToldDecision {
  readonly allowed: boolean;
  readonly because: Decision["because"];
  /** That decide, as `namespace/name`. */
  readonly policies: readonly string[];
  /** Where the rule stands in its policy; null when no rule decides. */
  readonly rule: string | null;
  readonly sentence: string;
}

/** @param label whose decision it is: `shop/web` */
export function tellDecision(
  direction: Direction,
  label: string,
  decision: Decision,
): ToldDecision {
  const { allowed, because } = decision;
  const policies = policiesOf(decision);
  const rule = because === "rule" ? decision.rule.where : null;
  const passed =
    decision.passedBy && `, after ${formatPolicyName(decision.passedBy.policy)} passed`;
  const sentence = `${sentenceOf(direction, label, decision)}${passed ?? ""}`;
  return { allowed, because, policies, rule, sentence };
}

function policiesOf(decision: Decision): string[] {
  if (decision.because === "rule") return [formatPolicyName(decision.rule.policy)];
  return decision.because === "isolated" ? decision.by.map(formatPolicyName) : [];
}

function sentenceOf(direction: Direction, label: string, decision: Decision): string {
  const does = direction === "egress" ? "send this" : "receive this";
  switch (decision.because) {
    case "rule": {
      const { policy, where } = decision.rule;
      return `${label} may ${decision.allowed ? "" : "not "}${does}: ${where} of ${formatPolicyName(policy)}`;
    }
    case "isolated": {
      const by = decision.by.map(formatPolicyName).join(", ");
      return `${label} may not ${does}: no rule of ${by} allows it`;
    }
    case "unselected":
      return `${label} may ${does}: no policy is about its ${direction}`;
    case "no-pod":
      return `${label} is no container: policies do not judge what it does`;
    case "itself":
      return `${label} speaks to itself, which no policy judges`;
    case "own-node":
      return `${label} and its own host, between which no policy judges`;
  }
}
