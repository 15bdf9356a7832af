import { join } from "node:path";
import { formatEndpoint } from "../base/endpoint.ts";
import { TlsFileReader } from "../host/tls-files.ts";
import type { ClusterAccess } from "./cluster-access.ts";
import { kubernetesError, noTls } from "./kubernetes-error.ts";
import { TokenFile } from "./token-file.ts";

/** Where the kubelet mounts what a pod of a service account needs. */
export const serviceAccountFolder = "/var/run/secrets/kubernetes.io/serviceaccount";

/**
 * How a pod speaks to the API server of its own cluster (Kubernetes, "Accessing the API from within
 * a Pod").
 *
 * @param environment has `KUBERNETES_SERVICE_HOST`, of either family, and `KUBERNETES_SERVICE_PORT`
 * @throws WeaveError `K8S_CONFIG` outside of one
 */
export function inClusterAccess(
  environment: Readonly<Record<string, string | undefined>>,
  folder = serviceAccountFolder,
): ClusterAccess {
  const { KUBERNETES_SERVICE_HOST: host = "", KUBERNETES_SERVICE_PORT: port = "" } = environment;
  if (host === "" || !/^\d{1,5}$/.test(port)) {
    throw kubernetesError(
      "K8S_CONFIG",
      "this is no pod: KUBERNETES_SERVICE_HOST and KUBERNETES_SERVICE_PORT are not set",
    );
  }
  return {
    server: `https://${formatEndpoint({ host, port: Number(port) })}`,
    tls: new TlsFileReader({ caFile: join(folder, "ca.crt"), verify: true }, noTls),
    token: new TokenFile(join(folder, "token")),
  };
}
