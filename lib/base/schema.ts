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
  throw refuse(`${v.getDotPath(issue) ?? whole}: ${issue.message}`);
}
