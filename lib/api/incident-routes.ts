import type { Hono } from "hono";
import { WeaveError } from "../base/errors.ts";
import { type Redactable, redactable } from "../incident/pseudonyms.ts";
import { answerJson } from "./answers.ts";
import { addRoutes } from "./route-spec.ts";
import type { IncidentControl } from "./router-control.ts";
import { incidentTable } from "./table/incident-table.ts";

/** Adds `/report/bundle`. */
export function incidentRoutes(app: Hono, incident: IncidentControl): void {
  addRoutes(app, incidentTable, {
    bundle: (context) =>
      answerJson(context, () => incident.bundle(readRedact(context.req.queries("redact") ?? []))),
  });
}

/** @throws WeaveError `QUERY_INVALID` */
function readRedact(words: readonly string[]): Redactable[] {
  return words.map((word) => {
    const known = redactable.find((each) => each === word);
    if (known !== undefined) return known;
    throw new WeaveError("QUERY_INVALID", `"${word}" is nothing that could be redacted`, {
      remedy: `ask for ${redactable.join(" or ")}`,
    });
  });
}
