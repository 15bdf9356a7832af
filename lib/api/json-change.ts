type Json = null | boolean | number | string | readonly Json[] | JsonObject;
type JsonObject = { readonly [name: string]: Json };

/**
 * What has become of an object, for who has the former one:
 *
 *   {"name": [value]}   is that now, or is new
 *   {"name": []}        is gone
 *   {"name": {…}}       is an object still, in which so much has changed
 *
 * Arrays change as wholes. What is not named stays as it was.
 */
export type Change = { readonly [name: string]: Part };
type Part = Change | readonly [] | readonly [Json];

/** What leads from one JSON object to another; undefined where they are alike, but for the order. */
export function changeBetween(before: object, after: object): Change | undefined {
  return changeOf(before as JsonObject, after as JsonObject);
}

/** The object that `change` leads to. What has not changed in it is not copied. */
export function withChange<T extends object>(before: T, change: Change): T {
  // Not by assignment, by which the name `__proto__` would mean something else.
  const members = new Map<string, Json>(Object.entries(before));
  for (const [name, part] of Object.entries(change)) {
    if (!isList(part)) members.set(name, withChange(members.get(name) as JsonObject, part));
    else if (part.length === 0) members.delete(name);
    else members.set(name, part[0]);
  }
  return Object.fromEntries(members) as T;
}

function changeOf(before: JsonObject, after: JsonObject): Change | undefined {
  if (before === after) return undefined;
  const parts: [string, Part][] = [];
  for (const name of Object.keys(after)) {
    const value = after[name]!;
    const part = Object.hasOwn(before, name) ? partOf(before[name]!, value) : ([value] as const);
    if (part !== undefined) parts.push([name, part]);
  }
  for (const name of Object.keys(before)) if (!Object.hasOwn(after, name)) parts.push([name, []]);
  return parts.length === 0 ? undefined : Object.fromEntries(parts);
}

function partOf(before: Json, after: Json): Part | undefined {
  if (before === after) return undefined;
  if (isObject(before) && isObject(after)) return changeOf(before, after);
  return isList(before) && isList(after) && areAlike(before, after) ? undefined : [after];
}

function areAlike(before: readonly Json[], after: readonly Json[]): boolean {
  return (
    before.length === after.length &&
    before.every((each, index) => partOf(each, after[index]!) === undefined)
  );
}

function isObject(value: Json): value is JsonObject {
  return typeof value === "object" && value !== null && !isList(value);
}

function isList<T>(value: T): value is Extract<T, readonly unknown[]> {
  return Array.isArray(value);
}
