import type { PolicyReport } from "../../api/policy-report.ts";
import type { PolicyControl } from "../../api/router-control.ts";
import { errorCode } from "../../base/errors.ts";
import type { PolicyFacts } from "../../diagnosis/facts.ts";
import type { PolicyVerdict } from "../../diagnosis/why/question.ts";
import { connectionText } from "./blocked-log.ts";
import type { RecentBlock } from "./recent-blocks.ts";

/** Policies as `weave doctor` looks at them. */
export function policyFacts(
  report: PolicyReport | undefined,
  blocked: readonly RecentBlock[],
): PolicyFacts | undefined {
  if (report === undefined) return undefined;
  const { Trouble, Awaited, Faults, NotEnforcing, Standing } = report;
  return {
    ...(Trouble !== undefined && { trouble: { text: Trouble.Message, remedy: Trouble.Remedy } }),
    ...(Standing?.Trouble && {
      standing: { text: Standing.Trouble, remedy: Standing.Remedy },
    }),
    awaited: Awaited ?? [],
    faults: Faults ?? [],
    idle: NotEnforcing ?? [],
    blocked: blocked.map(({ last, count }) => ({
      policy: last.origin ?? "a policy that is gone",
      text: connectionText(last),
      ...{ from: last.source, to: last.destination, count },
      ...(last.ports !== undefined && {
        port: `${last.ports.destination}/${last.protocol.toLowerCase()}`,
      }),
    })),
  };
}

/** What they say of a ping; `undefined` while they are not enforced, and of ends they do not know. */
export async function policyVerdict(
  policy: PolicyControl,
  report: PolicyReport | undefined,
  from: string,
  to: string,
): Promise<PolicyVerdict | undefined> {
  if (report?.Status !== "enforcing") return undefined;
  try {
    const told = await policy.explain({ from, to, port: undefined });
    const [egress, ingress] = [told.egress.sentence, told.ingress.sentence];
    return { from: told.from, to: told.to, isAllowed: told.allowed, egress, ingress };
  } catch (error) {
    if (errorCode(error) === "POLICY_PLACE") return undefined;
    throw error;
  }
}
