import * as v from "valibot";

/**
 * What a schema makes of a value that came from outside.
 *
 * @param whole what the value is called where it is wrong as a whole
 * @throws what `refuse` makes of a sentence that begins with the place of the first fault
 */
export function parsedBy<Schema extends v.GenericSchema>(
  schema: Schema,
  value: unknown,
  whole: string,
  refuse: (sentence: string) => Error,
): v.InferOutput<Schema> {
  const parsed = v.safeParse(schema, value);
  if (parsed.success) return parsed.output;
  const [issue] = parsed.issues;
  throw refuse(`${v.getDotPath(issue) ?? whole}: ${faultOf(issue)}`);
}

/** Of members that are missing or too many the library says in which terms it has compared them. */
function faultOf({ type, expected, received, message }: v.BaseIssue<unknown>): string {
  const isOfMembers = type === "object" || type === "strict_object" || type === "loose_object";
  if (isOfMembers && expected === "never") return "is not known";
  return isOfMembers && received === "undefined" && expected !== "Object" ? "is missing" : message;
}

/** `schema` with what it means, for people who read the document. */
export function told<Schema extends v.GenericSchema>(schema: Schema, meaning: string) {
  return v.pipe(schema, v.description(meaning));
}

/**
 * Texts by name, such as labels. `v.record` leaves out names that objects have by themselves, and
 * `constructor` is a label like any other.
 */
export const textsByName = v.custom<Readonly<Record<string, string>>>(
  (input) =>
    typeof input === "object" &&
    input !== null &&
    !Array.isArray(input) &&
    Object.values(input).every((value) => typeof value === "string"),
  "should be an object whose members are texts",
);

/** `T` for who only reads it. */
export type Unchanged<T> = T extends readonly (infer Item)[]
  ? readonly Unchanged<Item>[]
  : T extends object
    ? { readonly [Name in keyof T]: Unchanged<T[Name]> }
    : T;
