import type { Hono } from "hono";
import { answerJson } from "./answers.ts";
import type { DiagnosisControl } from "./router-control.ts";

/** Adds `/doctor` and `/why`, routes of our own that answer with JSON. */
export function diagnosisRoutes(app: Hono, diagnosis: DiagnosisControl): void {
  app.get("/doctor", (context) => answerJson(context, () => diagnosis.doctor()));
}
