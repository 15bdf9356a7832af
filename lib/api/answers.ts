import type { Context } from "hono";
import type { ContentfulStatusCode } from "hono/utils/http-status";
import { errorCode, errorText, WeaveError } from "../base/errors.ts";

/** The forms in which the control API answers (http-api §2). */

const textHeaders = { "Content-Type": "text/plain; charset=utf-8" };

/** 200 with a text; no line end is added. */
export function text(context: Context, body: string, status: ContentfulStatusCode = 200): Response {
  return context.body(body, status, textHeaders);
}

/** An error as clients of the original expect it: one line of text. */
export function refuse(context: Context, status: ContentfulStatusCode, line: string): Response {
  return context.body(`${line}\n`, status, { ...textHeaders, "X-Content-Type-Options": "nosniff" });
}

/** An error of the original's routes: its sentence, with the status that fits its code. */
export function refuseError(context: Context, error: unknown): Response {
  return refuse(context, statusOf(error), errorText(error));
}

/** An error of our own routes: code, sentence and remedy. */
export function refuseJson(context: Context, error: unknown): Response {
  const remedy = error instanceof WeaveError ? error.remedy : undefined;
  return context.json(
    { code: errorCode(error), message: errorText(error), ...(remedy ? { remedy } : {}) },
    statusOf(error),
  );
}

/** Codes whose fault lies with the request are named by their room; all others are ours. */
function statusOf(error: unknown): ContentfulStatusCode {
  const code = errorCode(error);
  if (code === "INTERNAL" || code.startsWith("HOST_") || code.startsWith("STORE_")) return 500;
  if (code.endsWith("_NOT_FOUND")) return 404;
  if (code.endsWith("_DISABLED")) return 404;
  return 400;
}
