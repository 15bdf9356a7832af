import type { JsonSchema } from "./json-schema.ts";
import type { GoType, IntType, StructType } from "./template/go-type.ts";

/** What `goJson` writes for a value of a Go type, as JSON Schema. */
export function goJsonSchema(type: GoType): JsonSchema {
  switch (type.kind) {
    case "plain":
    case "any":
      return {};
    case "bool":
      return { type: "boolean" };
    case "string":
      return { type: "string" };
    case "float64":
      return { type: "number" };
    case "int":
      return intSchema(type);
    case "slice":
      return { type: ["array", "null"], items: goJsonSchema(type.element) };
    case "map":
      return { type: ["object", "null"], additionalProperties: goJsonSchema(type.element) };
    case "struct":
      return structSchema(type);
    case "pointer":
      return { ...structSchema(type.to), type: ["object", "null"] };
  }
}

function intSchema({ name, unsigned }: IntType): JsonSchema {
  return {
    type: "integer",
    ...(unsigned && { minimum: 0 }),
    ...(name.endsWith("64") && { format: name }),
  };
}

/** What the original does not have, and a service that is off, may be missing. */
function structSchema({ fields, additions = [] }: StructType): JsonSchema {
  const members = Object.entries(fields);
  const required = members
    .filter(([name, { kind }]) => kind !== "pointer" && !additions.includes(name))
    .map(([name]) => name);
  return {
    type: "object",
    properties: Object.fromEntries(members.map(([name, type]) => [name, goJsonSchema(type)])),
    required,
  };
}
