import * as v from "valibot";
import type { Requirement, Selector } from "./objects.ts";

const key = v.pipe(v.string(), v.nonEmpty("is empty"));

const requirement = v.variant("operator", [
  v.strictObject({
    key,
    operator: v.picklist(["In", "NotIn"]),
    values: v.pipe(v.array(v.string()), v.nonEmpty("is empty")),
  }),
  v.pipe(
    v.strictObject({
      key,
      operator: v.picklist(["Exists", "DoesNotExist"]),
      values: v.nullish(
        v.pipe(v.array(v.string()), v.empty("has values, which mean nothing here")),
      ),
    }),
    v.transform(({ key, operator }) => ({ key, operator })),
  ),
]);

/** Labels by their own names: records of the library leave out some, such as `constructor`. */
const matchLabels = v.pipe(
  v.custom<object>((value) => typeof value === "object" && !Array.isArray(value), "is no object"),
  v.rawTransform(({ dataset: { value: input }, addIssue, NEVER }): Requirement[] => {
    const requirements: Requirement[] = [];
    for (const [key, value] of Object.entries(input)) {
      if (typeof value === "string") requirements.push({ key, operator: "In", values: [value] });
      else
        addIssue({
          message: "is no text",
          path: [{ type: "unknown", origin: "value", input, key, value }],
        });
    }
    return requirements.length === Object.keys(input).length ? requirements : NEVER;
  }),
);

/** A LabelSelector of Kubernetes (meta/v1): `matchLabels` and `matchExpressions`, all of which hold. */
export const selectorSchema = v.pipe(
  v.strictObject({
    matchLabels: v.nullish(matchLabels, {}),
    matchExpressions: v.nullish(v.array(requirement), []),
  }),
  v.transform(({ matchLabels, matchExpressions }): Selector => {
    return [...matchLabels, ...matchExpressions];
  }),
);
