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

/** A LabelSelector of Kubernetes (meta/v1): `matchLabels` and `matchExpressions`, all of which hold. */
export const selectorSchema = v.pipe(
  v.strictObject({
    matchLabels: v.nullish(v.record(v.string(), v.string()), {}),
    matchExpressions: v.nullish(v.array(requirement), []),
  }),
  v.transform(({ matchLabels, matchExpressions }): Selector => {
    const labels = Object.entries(matchLabels);
    const exact = labels.map(
      ([key, value]): Requirement => ({ key, operator: "In", values: [value] }),
    );
    return [...exact, ...matchExpressions];
  }),
);
