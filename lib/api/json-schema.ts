import * as v from "valibot";
import { assert } from "../base/errors.ts";
import { textsByName } from "../base/schema.ts";

export { told } from "../base/schema.ts";

/** A JSON Schema of draft 2020-12, which is also that of OpenAPI 3.1. */
export type JsonSchema = { readonly [keyword: string]: unknown };

/** The kinds of schemas that our documents are made of. */
type Source =
  | v.StringSchema<undefined>
  | v.NumberSchema<undefined>
  | v.BooleanSchema<undefined>
  | v.UnknownSchema
  | v.PicklistSchema<readonly string[], undefined>
  | v.LiteralSchema<string, undefined>
  | v.ArraySchema<v.GenericSchema, undefined>
  | v.RecordSchema<v.StringSchema<undefined>, v.GenericSchema, undefined>
  | v.ObjectSchema<v.ObjectEntries, undefined>
  | v.UnionSchema<v.GenericSchema[], undefined>
  | v.NullableSchema<v.GenericSchema, undefined>
  | Leavable;

/** What may be missing from its object. */
type Leavable =
  | v.OptionalSchema<v.GenericSchema, unknown>
  | v.ExactOptionalSchema<v.GenericSchema, unknown>
  | v.NullishSchema<v.GenericSchema, unknown>;

/** A schema of valibot, with its descriptions, as JSON Schema. Other kinds fail an assertion. */
export function jsonSchema(schema: v.GenericSchema): JsonSchema {
  const description = v.getDescription(schema);
  return { ...(description !== undefined && { description }), ...bare(schema), ...limits(schema) };
}

function bare(schema: v.GenericSchema): JsonSchema {
  if (schema === textsByName) {
    return { type: "object", additionalProperties: { type: "string" } };
  }
  const source = schema as Source;
  switch (source.type) {
    case "string":
    case "number":
    case "boolean":
      return { type: source.type };
    case "unknown":
      return {};
    case "picklist":
      return { type: "string", enum: [...source.options] };
    case "literal":
      return { const: source.literal };
    case "array":
      return { type: "array", items: jsonSchema(source.item) };
    case "record":
      return { type: "object", additionalProperties: jsonSchema(source.value) };
    case "object":
      return objectSchema(source.entries);
    case "union":
      return { anyOf: source.options.map(jsonSchema) };
    case "nullable":
    case "nullish":
      return orNull(jsonSchema(source.wrapped));
    case "optional":
    case "exact_optional":
      return { ...jsonSchema(source.wrapped), ...defaultOf(source) };
    default:
      return unknownKind(schema);
  }
}

function objectSchema(entries: v.ObjectEntries): JsonSchema {
  const members = Object.entries(entries) as [string, v.GenericSchema][];
  const required = members.filter(([, member]) => !isLeavable(member)).map(([name]) => name);
  return {
    type: "object",
    properties: Object.fromEntries(members.map(([name, member]) => [name, jsonSchema(member)])),
    ...(required.length > 0 && { required }),
  };
}

function isLeavable(schema: v.GenericSchema): boolean {
  return ["optional", "exact_optional", "nullish"].includes(schema.type);
}

function defaultOf(source: Leavable): JsonSchema {
  return source.default === undefined ? {} : { default: source.default };
}

function orNull(schema: JsonSchema): JsonSchema {
  return typeof schema.type === "string"
    ? { ...schema, type: [schema.type, "null"] }
    : { anyOf: [schema, { type: "null" }] };
}

/** What a pipe adds to its first schema. */
function limits(schema: v.GenericSchema): JsonSchema {
  if (!("pipe" in schema)) return {};
  const actions = schema.pipe as readonly v.GenericPipeAction[];
  const isWhole = actions.some(({ type }) => type === "integer");
  const longest = actions.find(({ type }) => type === "max_length");
  return {
    ...(isWhole && { type: "integer" }),
    ...(longest !== undefined && "requirement" in longest && { maxItems: longest.requirement }),
  };
}

function unknownKind(schema: v.GenericSchema): never {
  assert(false, `no JSON Schema for a ${schema.type}`);
}
