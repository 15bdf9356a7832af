import { ApiClient } from "./api-client.ts";
import { inClusterAccess } from "./in-cluster.ts";
import { kubeconfigAccess } from "./kubeconfig.ts";
import type { KubernetesApi } from "./kubernetes-api.ts";

/**
 * The API server of the cluster that this is a node of: by a file, or by what every pod is told.
 *
 * @throws WeaveError `K8S_CONFIG`
 */
export function clusterClient(
  kubeconfig: string | undefined,
  environment: Readonly<Record<string, string | undefined>>,
): KubernetesApi {
  return new ApiClient(
    kubeconfig === undefined ? inClusterAccess(environment) : kubeconfigAccess(kubeconfig),
  );
}
