import * as v from "valibot";

const reference = "write it as the API reference of Kubernetes says";

/** Something in a policy that is not understood, and what is done about it: less is allowed. */
export interface PolicyProblem {
  /** Where it stands in the object: `spec.ingress[0].ports[1].endPort`. */
  readonly where: string;
  /** What is wrong, and what therefore holds. */
  readonly sentence: string;
  readonly remedy: string;
}

/** Of one policy so many are told: a list of a thousand may be wrong in each of its places. */
export const problemsMax = 32;

/** Reads parts of a policy, and gathers what is wrong with them. */
export class ProblemCollector {
  readonly found: PolicyProblem[] = [];

  /**
   * What `schema` makes of `value`; `undefined` when that is not possible.
   *
   * @param where the place of `value` in the object; empty for all of it
   * @param effect what holds if it cannot be read: `the rule allows nothing`
   */
  read<Schema extends v.GenericSchema>(
    schema: Schema,
    value: unknown,
    where: string,
    effect: string,
  ): v.InferOutput<Schema> | undefined {
    const parsed = v.safeParse(schema, value);
    if (parsed.success) return parsed.output;
    for (const issue of parsed.issues) this.#add(issue, where, effect);
    return undefined;
  }

  add(where: string, what: string, effect: string, remedy: string): void {
    if (this.found.length >= problemsMax) return;
    this.found.push({ where, sentence: `${where} ${what}; ${effect}`, remedy });
  }

  #add(issue: v.BaseIssue<unknown>, where: string, effect: string): void {
    const place = placeOf(issue, where);
    if (issue.type === "strict_object" && issue.expected === "never") {
      const remedy = "take the field out, or use a version of weave that knows it";
      this.add(place, "is a field that is not known", effect, remedy);
    } else if (issue.kind !== "schema" || issue.type === "custom") {
      this.add(place, issue.message, effect, reference);
    } else if (issue.received === "undefined") {
      this.add(place, "is missing", effect, reference);
    } else {
      const expected = issue.expected ?? "something else";
      const what = `should be ${expected.replaceAll('"', "'")}, and is ${issue.received.replaceAll('"', "'")}`;
      this.add(place, what, effect, reference);
    }
  }
}

/** `spec.ingress[0]` and the way from there: labels with dots are in brackets as well. */
function placeOf(issue: v.BaseIssue<unknown>, where: string): string {
  let place = where;
  for (const { key } of issue.path ?? []) {
    if (typeof key === "string" && /^\w+$/.test(key)) place += place === "" ? key : `.${key}`;
    else place += `[${JSON.stringify(key)}]`;
  }
  return place === "" ? "the object" : place;
}
