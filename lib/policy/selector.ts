import type { Labels, Requirement, Selector } from "./objects.ts";

/** Selects whatever there is. */
export const everything: Selector = [];

/** Whether all requirements hold (kubernetes.md §9): `NotIn` also where the label is missing. */
export function selects(selector: Selector, labels: Labels): boolean {
  return selector.every((requirement) => holds(requirement, labels));
}

function holds(requirement: Requirement, labels: Labels): boolean {
  const value = labels.get(requirement.key);
  switch (requirement.operator) {
    case "In":
      return value !== undefined && requirement.values.includes(value);
    case "NotIn":
      return value === undefined || !requirement.values.includes(value);
    case "Exists":
      return value !== undefined;
    case "DoesNotExist":
      return value === undefined;
  }
}

/**
 * Equal for selectors that say the same in another order, and for no others: structure, not text
 * that is put together, so that no two of different meaning ever meet (kubernetes.md §12.3).
 */
export function selectorKey(selector: Selector): string {
  return JSON.stringify([...new Set(selector.map(requirementKey))].sort());
}

function requirementKey(requirement: Requirement): string {
  const { key, operator } = requirement;
  const values = "values" in requirement ? [...new Set(requirement.values)].sort() : [];
  return JSON.stringify([key, operator, ...values]);
}
