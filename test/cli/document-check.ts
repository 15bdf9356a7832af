import { readFileSync } from "node:fs";
import type { JsonSchema } from "../../lib/api/json-schema.ts";
import { mismatches } from "../api/schema-check.ts";

const { $defs: definitions } = JSON.parse(readFileSync("docs/json.schema.json", "utf8")) as {
  $defs: Readonly<Record<string, JsonSchema>>;
};

/** Throws unless a document is one line, and has all that its schema demands and nothing else. */
export function checkDocument(line: string): void {
  const document = JSON.parse(line) as { schema: string };
  const name = /^weave\/([a-z-]+)\/\d+$/.exec(document.schema)?.[1] ?? "";
  const schema = definitions[name];
  if (schema === undefined) throw new Error(`docs/json.schema.json lacks ${document.schema}`);
  const found = mismatches(schema, document);
  if (line.indexOf("\n") !== line.length - 1) found.push("not one line");
  if (found.length > 0) throw new Error(`${document.schema}: ${found.join("; ")}`);
}
