import type { Context, Hono } from "hono";
import { WeaveError } from "../base/errors.ts";
import { answerJson } from "./answers.ts";
import { addRoutes } from "./route-spec.ts";
import type { DiagnosisControl } from "./router-control.ts";
import { diagnosisTable } from "./table/look-table.ts";

/** Adds `/doctor` and `/why`, routes of our own that answer with JSON. */
export function diagnosisRoutes(app: Hono, diagnosis: DiagnosisControl): void {
  addRoutes(app, diagnosisTable, {
    doctor: (context) => answerJson(context, () => diagnosis.doctor()),
    why: (context) => answerJson(context, () => why(context, diagnosis)),
  });
}

async function why(context: Context, diagnosis: DiagnosisControl): Promise<object> {
  const [from, to] = [context.req.query("from"), context.req.query("to")];
  if (from) return diagnosis.why(from, to || undefined);
  throw new WeaveError("QUERY_INCOMPLETE", "a place to explain is missing", {
    remedy: "ask for /why?from=<place>, and &to=<place> for the way between two",
  });
}
