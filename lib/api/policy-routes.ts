import type { Context, Hono } from "hono";
import * as v from "valibot";
import { WeaveError } from "../base/errors.ts";
import { answerJson } from "./answers.ts";
import { answerBody } from "./body-answer.ts";
import { applyBody, deleteBody, policyProtocol, testBody } from "./policy-models.ts";
import { addRoutes } from "./route-spec.ts";
import type { PolicyControl, PolicyQuestion } from "./router-control.ts";
import { policyLookTable, policyTable } from "./table/policy-table.ts";

/** Adds `/policy/explain` and `/policy/ways`, which only look. */
export function policyLookRoutes(app: Hono, policy: PolicyControl): void {
  addRoutes(app, policyLookTable, {
    policyExplain: (context) =>
      answerJson(context, async () => policy.explain(questionOf(context))),
    policyWays: (context) => answerJson(context, async () => policy.ways(endsOf(context))),
  });
}

/** Adds `/policy…`, routes of our own that speak JSON. */
export function policyRoutes(app: Hono, policy: PolicyControl): void {
  addRoutes(app, policyTable, {
    policyApply: (context) => answerBody(context, applyBody, async (body) => policy.apply(body)),
    policyDelete: (context) => answerBody(context, deleteBody, async (body) => policy.remove(body)),
    policyList: (context) =>
      answerJson(context, () => policy.list({ now: context.req.query("now") === "true" })),
    policyTest: (context) => answerBody(context, testBody, (body) => policy.test(body)),
  });
  policyLookRoutes(app, policy);
}

/** @throws WeaveError `QUERY_INCOMPLETE` */
function endsOf(context: Context): Pick<PolicyQuestion, "from" | "to"> {
  const { from, to } = context.req.query();
  if (from && to) return { from, to };
  throw new WeaveError("QUERY_INCOMPLETE", "an end of the connection is missing", {
    remedy: `ask for ${context.req.path}?from=<container>&to=<container>`,
  });
}

/** @throws WeaveError `QUERY_INCOMPLETE`, `QUERY_INVALID` */
function questionOf(context: Context): PolicyQuestion {
  const { from, to } = endsOf(context);
  const { port, protocol = "TCP" } = context.req.query();
  const named = v.safeParse(policyProtocol, protocol.toUpperCase());
  const number = port === undefined || port === "" ? undefined : Number(port);
  const isPort =
    number === undefined || (Number.isInteger(number) && number > 0 && number < 65_536);
  if (!named.success || !isPort) {
    throw new WeaveError("QUERY_INVALID", `"${port}/${protocol}" is no port`, {
      remedy: "write a port from 1 to 65535, and TCP, UDP or SCTP",
    });
  }
  if (number === undefined || named.output === "ICMP") return { from, to, port: undefined };
  return { from, to, port: { protocol: named.output, port: number } };
}
