import type { Context } from "hono";
import type { ContentfulStatusCode } from "hono/utils/http-status";
import { errorCode, errorText, WeaveError } from "../base/errors.ts";
import { errorStatus } from "./error-status.ts";

/** The forms in which the control API answers (http-api §2). */

const textHeaders = { "Content-Type": "text/plain; charset=utf-8" };

/** 200 with a text; no line end is added. What is empty has no type. */
export function text(context: Context, body: string, status: ContentfulStatusCode = 200): Response {
  return body === "" ? context.body(null, status) : context.body(body, status, textHeaders);
}

/** An error as clients of the original expect it: a line of text. */
export function refuse(context: Context, status: ContentfulStatusCode, line: string): Response {
  return context.body(`${line}\n`, status, { ...textHeaders, "X-Content-Type-Options": "nosniff" });
}

/**
 * An error of the original's routes: its sentence after `lead`, by default with the status that fits its code.
 * A client that accepts JSON is told all there is to know.
 */
export function refuseError(
  context: Context,
  error: unknown,
  { lead = "", status = errorStatus(error) }: { lead?: string; status?: ContentfulStatusCode } = {},
): Response {
  if (acceptsJson(context)) return refuseJson(context, error, status);
  return refuse(context, status, lead + errorText(error));
}

/** An error of our own routes: code, sentence and remedy. */
export function refuseJson(
  context: Context,
  error: unknown,
  status: ContentfulStatusCode = errorStatus(error),
): Response {
  const remedy = error instanceof WeaveError ? error.remedy : undefined;
  return context.json(
    { code: errorCode(error), message: errorText(error), ...(remedy ? { remedy } : {}) },
    status,
  );
}

/** What an action of our own routes gives, as JSON, or why it failed. */
export async function answerJson(
  context: Context,
  action: () => Promise<object>,
): Promise<Response> {
  try {
    return context.json(await action());
  } catch (error) {
    return refuseJson(context, error);
  }
}

/** Whether JSON is named among what the client accepts; a mere wildcard does not name it. */
export function acceptsJson(context: Context): boolean {
  return /\bapplication\/json\b/i.test(context.req.header("Accept") ?? "");
}
