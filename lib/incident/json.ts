/** A value as JSON has it. */
export type Json =
  | null
  | boolean
  | number
  | string
  | readonly Json[]
  | { readonly [name: string]: Json };

export type JsonObject = { readonly [name: string]: Json };

/** Plain data as JSON: what is `undefined` is left out, numbers beyond 2^53 become texts. */
export function toJson(value: unknown): Json {
  if (typeof value === "bigint") {
    return Number.isSafeInteger(Number(value)) ? Number(value) : value.toString();
  }
  if (Array.isArray(value)) return value.map(toJson);
  if (typeof value !== "object" || value === null) return value as Json;
  return objectToJson(value);
}

export function objectToJson(value: object): JsonObject {
  const members = Object.entries(value).filter(([, member]) => member !== undefined);
  return Object.fromEntries(members.map(([name, member]) => [name, toJson(member)]));
}

interface JsonVisitor {
  text(text: string): string;
  /** What takes the place of a member, whatever is in it; `undefined` to look into it. */
  member?(name: string, value: Json): Json | undefined;
}

/** A copy of `value` in which texts are what the visitor makes of them; names of members stay. */
export function mapJson(value: Json, visitor: JsonVisitor): Json {
  if (typeof value === "string") return visitor.text(value);
  if (typeof value !== "object" || value === null) return value;
  return isList(value) ? value.map((item) => mapJson(item, visitor)) : mapObject(value, visitor);
}

export function mapObject(value: JsonObject, visitor: JsonVisitor): JsonObject {
  const members = Object.entries(value).map(([name, member]): [string, Json] => [
    name,
    visitor.member?.(name, member) ?? mapJson(member, visitor),
  ]);
  return Object.fromEntries(members);
}

/** `Array.isArray` says nothing of lists that may only be read. */
export function isList(value: Json | undefined): value is readonly Json[] {
  return Array.isArray(value);
}

export function isObject(value: Json | undefined): value is JsonObject {
  return typeof value === "object" && value !== null && !isList(value);
}
