import type { JsonSchema } from "../../lib/api/json-schema.ts";

/**
 * What of `value` is not as a JSON Schema says, by path; members that the schema does not name
 * count. Knows the keywords that our documents use, and throws at others.
 */
export function mismatches(schema: JsonSchema, value: unknown, path = "$"): string[] {
  const unknown = Object.keys(schema).filter((keyword) => !keywords.has(keyword));
  if (unknown.length > 0) throw new Error(`unknown keywords at ${path}: ${unknown.join(", ")}`);
  if (Array.isArray(schema.anyOf)) {
    const tries = (schema.anyOf as JsonSchema[]).map((each) => mismatches(each, value, path));
    return tries.some((found) => found.length === 0) ? [] : tries.flat();
  }
  return [
    ...typeMismatch(schema, value, path),
    ...(Array.isArray(schema.enum) && !schema.enum.includes(value)
      ? [`${path}: ${value} is none of ${schema.enum.join(", ")}`]
      : []),
    ...("const" in schema && schema.const !== value ? [`${path}: not ${schema.const}`] : []),
    ...(Array.isArray(value) ? itemMismatches(schema, value, path) : []),
    ...(typeOf(value) === "object" ? memberMismatches(schema, value as Members, path) : []),
  ];
}

type Members = Record<string, unknown>;

const keywords = new Set(
  ["type", "description", "default", "format", "minimum", "maxItems", "items", "anyOf"].concat([
    "properties",
    "required",
    "additionalProperties",
    "enum",
    "const",
  ]),
);

function typeOf(value: unknown): string {
  if (value === null) return "null";
  if (Array.isArray(value)) return "array";
  return Number.isInteger(value) ? "integer" : typeof value;
}

function typeMismatch({ type, minimum }: JsonSchema, value: unknown, path: string): string[] {
  const types = type === undefined ? [] : [type].flat();
  const found = typeOf(value);
  const isRight =
    types.length === 0 ||
    types.includes(found) ||
    (found === "integer" && types.includes("number"));
  if (!isRight) return [`${path}: ${found} instead of ${types.join(" or ")}`];
  const isTooSmall = typeof minimum === "number" && Number(value) < minimum;
  return isTooSmall ? [`${path}: ${value} is below ${minimum}`] : [];
}

function itemMismatches({ items }: JsonSchema, value: readonly unknown[], path: string): string[] {
  return value.flatMap((item, at) =>
    mismatches((items ?? {}) as JsonSchema, item, `${path}[${at}]`),
  );
}

function memberMismatches(schema: JsonSchema, value: Members, path: string): string[] {
  const { properties, required = [], additionalProperties } = schema;
  const missing = (required as string[]).filter((name) => !(name in value));
  const members = Object.entries(value).flatMap(([name, member]) => {
    const known = (properties as Record<string, JsonSchema> | undefined)?.[name];
    const described = known ?? (additionalProperties as JsonSchema | undefined);
    if (described !== undefined) return mismatches(described, member, `${path}.${name}`);
    // A schema without members says nothing about them.
    return properties === undefined ? [] : [`${path}.${name} is not described`];
  });
  return [...missing.map((name) => `${path}.${name} is missing`), ...members];
}
