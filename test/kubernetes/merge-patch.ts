/**
 * Patches as an API server applies them, for the lists that tests patch: strategic merge (Kubernetes
 * community, "Strategic Merge Patch") and JSON merge (RFC 7396).
 */
type Json = Record<string, unknown>;

/** Lists whose members are merged by a key, by the name of their field. */
const mergeKeys: Readonly<Record<string, string>> = {
  conditions: "type",
  addresses: "type",
  containers: "name",
  taints: "key",
};

/** RFC 7396 §2 */
export function mergePatch(target: Json, patch: Json): Json {
  return merge(target, patch, () => undefined);
}

export function strategicMerge(target: Json, patch: Json): Json {
  return merge(target, patch, (field) => mergeKeys[field]);
}

function merge(target: Json, patch: Json, keyOf: (field: string) => string | undefined): Json {
  const merged: Json = { ...target };
  for (const [field, wanted] of Object.entries(patch)) {
    const known = merged[field];
    const key = keyOf(field);
    if (wanted === null) delete merged[field];
    else if (Array.isArray(wanted) && key !== undefined) {
      merged[field] = mergeList(Array.isArray(known) ? known : [], wanted, key, keyOf);
    } else if (isJson(wanted)) {
      merged[field] = merge(isJson(known) ? known : {}, wanted, keyOf);
    } else merged[field] = wanted;
  }
  return merged;
}

function mergeList(
  known: readonly Json[],
  wanted: readonly Json[],
  key: string,
  keyOf: (field: string) => string | undefined,
): Json[] {
  const merged = [...known];
  for (const { $patch, ...member } of wanted) {
    const at = merged.findIndex((each) => each[key] === member[key]);
    if ($patch === "delete") {
      if (at >= 0) merged.splice(at, 1);
    } else if (at >= 0) merged[at] = merge(merged[at]!, member, keyOf);
    else merged.push(member);
  }
  return merged;
}

function isJson(value: unknown): value is Json {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
