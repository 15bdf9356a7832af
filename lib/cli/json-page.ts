import { type JsonSchema, jsonSchema } from "../api/json-schema.ts";
import { markdownRow } from "../api/markdown-row.ts";
import { type JsonName, jsonDocuments } from "./json-documents.ts";
import { schemaId } from "./json-output.ts";

/** `docs/json.schema.json`: one definition for each document, by name. */
export function jsonSchemaText(): string {
  const schema = {
    $schema: "https://json-schema.org/draft/2020-12/schema",
    title: "What commands of weave print with --json",
    anyOf: names.map((name) => ({ $ref: `#/$defs/${name}` })),
    $defs: Object.fromEntries(names.map((name) => [name, documentSchema(name)])),
  };
  return `${JSON.stringify(schema, null, 2)}\n`;
}

const names = Object.keys(jsonDocuments) as JsonName[];

function documentSchema(name: JsonName): JsonSchema {
  const { properties = {}, required = [] } = jsonSchema(jsonDocuments[name].schema);
  return {
    type: "object",
    properties: { schema: { const: schemaId(name) }, ...(properties as JsonSchema) },
    required: ["schema", ...(required as readonly string[])],
  };
}

/** `docs/json.md`: the same for people. */
export function jsonMarkdown(): string {
  const lines = [
    "# What commands print with `--json`",
    "",
    "This page is made from the schemas that the program itself is checked against (`bun run",
    "generate`); [json.schema.json](json.schema.json) has them for programs.",
    "",
    "Each command prints one document on one line. Its first member, `schema`, has a name and a number:",
    "the number grows when a member changes its meaning or goes, so a script that finds the number it",
    "knows may go on. New members do not change it: ignore those that you do not know. Lists have an",
    "order that does not depend on chance, so that two documents can be compared. Nothing but the",
    "document goes to stdout, notes and errors go to stderr, and exit codes are those without `--json`.",
    "",
    "`weave report` is JSON without any option, of the shape that Weave Net 2.x gave it: that of",
    "`GET /report` in [openapi.json](openapi.json).",
  ];
  for (const name of names) {
    const { line, schema } = jsonDocuments[name];
    lines.push("", `## ${name}`, "", `\`${line}\` prints \`${schemaId(name)}\`.`, "");
    lines.push("| member | type | meaning |", "| --- | --- | --- |");
    lines.push(...memberRows(jsonSchema(schema), ""));
  }
  return `${lines.join("\n")}\n`;
}

/** One row for each member, those of members after it: `connections[].address`. */
function memberRows(schema: JsonSchema, path: string): string[] {
  const members = Object.entries((schema.properties ?? {}) as Record<string, JsonSchema>);
  const required = (schema.required ?? []) as readonly string[];
  return members.flatMap(([name, member]) => {
    const at = path === "" ? name : `${path}.${name}`;
    const isList = member.items !== undefined;
    const inner = (isList ? member.items : member) as JsonSchema;
    const type = `${typeText(member)}${required.includes(name) ? "" : ", may be absent"}`;
    return [
      markdownRow([`\`${at}\``, type, (member.description as string | undefined) ?? ""]),
      ...memberRows(inner, isList ? `${at}[]` : at),
    ];
  });
}

function typeText(schema: JsonSchema): string {
  if (schema.items !== undefined) return `list of ${typeText(schema.items as JsonSchema)}`;
  if (Array.isArray(schema.anyOf)) return (schema.anyOf as JsonSchema[]).map(typeText).join(" or ");
  // The codes of findings have a page of their own.
  if (Array.isArray(schema.enum) && schema.enum.length <= 8) return schema.enum.join(", ");
  const type = schema.type ?? "anything";
  return Array.isArray(type) ? type.join(" or ") : String(type);
}
