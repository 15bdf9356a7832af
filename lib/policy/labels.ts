import type { Labels, Namespace } from "./objects.ts";

/** The label that every namespace has, with its name (kubernetes.md §9). */
export const namespaceNameLabel = "kubernetes.io/metadata.name";

/** Labels as documents have them; missing or `null` for none. */
export function labelsOf(record: Readonly<Record<string, string>> | null | undefined): Labels {
  return new Map(Object.entries(record ?? {}));
}

/** A namespace with the label that all have, whatever `record` says of it. */
export function namespaceOf(
  name: string,
  record?: Readonly<Record<string, string>> | null,
): Namespace {
  return { name, labels: new Map([...labelsOf(record), [namespaceNameLabel, name]]) };
}
