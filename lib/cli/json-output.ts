import type { Output } from "./context.ts";
import { type JsonFields, type JsonName, schemaId } from "./json-documents.ts";

/** Prints one of {@link jsonDocuments} on one line. */
export function writeJson<Name extends JsonName>(
  output: Output,
  name: Name,
  fields: JsonFields<Name>,
): void {
  output.write(`${JSON.stringify({ schema: schemaId(name), ...fields })}\n`);
}
