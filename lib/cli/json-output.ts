import type { Output } from "./context.ts";
import type { JsonFields, JsonName } from "./json-documents.ts";

/** The first member of a document. Of the schemas only types are needed here: commands load none. */
export function schemaId(name: JsonName): string {
  return `weave/${name}/1`;
}

/** Prints a document of `json-documents.ts` on one line. */
export function writeJson<Name extends JsonName>(
  output: Output,
  name: Name,
  fields: JsonFields<Name>,
): void {
  output.write(`${JSON.stringify({ schema: schemaId(name), ...fields })}\n`);
}
