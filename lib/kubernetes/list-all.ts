import type { KubernetesApi } from "./kubernetes-api.ts";
import type { KubernetesObject } from "./objects.ts";
import type { Resource } from "./resources.ts";

const pageObjects = 500;

/** All objects of a kind, of one moment. @throws WeaveError `K8S_…`; `K8S_GONE` when it took too long */
export async function listAll<T extends KubernetesObject>(
  api: KubernetesApi,
  resource: Resource<T>,
  signal: AbortSignal,
): Promise<T[]> {
  const all: T[] = [];
  for (let continueToken = ""; ; ) {
    const page = await api.list(resource, { limit: pageObjects, continueToken }, signal);
    all.push(...page.items);
    continueToken = page.continueToken;
    if (continueToken === "") return all;
  }
}
