import type { Context } from "hono";
import type * as v from "valibot";
import { WeaveError } from "../base/errors.ts";
import { parsedBy } from "../base/schema.ts";
import { answerJson } from "./answers.ts";

/** What an action makes of a JSON body, as JSON, or why it failed: code `BODY_INVALID` for the body. */
export async function answerBody<Schema extends v.GenericSchema>(
  context: Context,
  schema: Schema,
  action: (body: v.InferOutput<Schema>) => Promise<object>,
): Promise<Response> {
  return answerJson(context, async () => {
    const raw = await context.req.text();
    const refuse = (text: string): Error => new WeaveError("BODY_INVALID", text);
    return action(parsedBy(schema, parseJson(raw), "body", refuse));
  });
}

/** Without a body all members have their defaults. */
function parseJson(raw: string): unknown {
  if (raw === "") return {};
  let value: unknown;
  try {
    value = JSON.parse(raw);
  } catch (cause) {
    throw new WeaveError("BODY_INVALID", "the request body is no JSON", { cause });
  }
  if (typeof value === "object" && value !== null && !Array.isArray(value)) return value;
  throw new WeaveError("BODY_INVALID", "the request body is no JSON object");
}
