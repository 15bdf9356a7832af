import * as v from "valibot";
import { ApiError } from "./api-error.ts";

/**
 * Reads a JSON answer of the control API.
 *
 * @throws ApiError `API_ANSWER` when it has another shape, as that of a router of another version
 */
export function readAnswer<Schema extends v.GenericSchema>(
  schema: Schema,
  body: string,
): v.InferOutput<Schema> {
  try {
    return v.parse(schema, JSON.parse(body));
  } catch (cause) {
    throw new ApiError("refused", "API_ANSWER", "the router's answer is not understood", {
      remedy: "'weave version' shows whether router and command are of the same version",
      cause,
    });
  }
}
