import { WeaveError } from "../base/errors.ts";

/** Every way in which a Kubernetes API server fails us, and what to do about it. */
const remedies = {
  /** Nothing answers, or not in time. */
  K8S_UNREACHABLE: "see that the API server runs and that this node has a way to it",
  /** Who asks is not known: a token that is missing, expired or of another cluster. */
  K8S_UNAUTHORIZED: "see that the service account exists and its token is mounted",
  /** Who asks may not do that. */
  K8S_FORBIDDEN: "apply the ClusterRole and Role of the manifest, and their bindings",
  K8S_NOT_FOUND: "see that the object exists, or apply what defines its kind",
  /** Somebody else has written it meanwhile, or made it. */
  K8S_CONFLICT: "read it again, and write that",
  /** What was asked for is too long ago: everything has to be listed anew. */
  K8S_GONE: "list all objects again",
  /** The server is overloaded, or starts or stops. */
  K8S_BUSY: "wait a moment",
  /** It answered something else than the API does. */
  K8S_ANSWER: "see that the address is that of a Kubernetes API server",
  /** It refused for another reason. */
  K8S_REFUSED: "look at the reason that it gave",
  /** It is not known where the API server is, or how to speak to it. */
  K8S_CONFIG: "run in a pod with a service account, or give a kubeconfig file",
  /** The pod was not given what it needs of its node. */
  K8S_POD: "apply the DaemonSet of the manifest as it is",
  /** The list of peers is none. */
  K8S_PEER_LIST:
    "look at annotation kube-peers.weave.works/peers of ConfigMap kube-system/weave-net; " +
    "where it cannot be mended, remove it, and restart the pods one after the other",
  /** Certificates are missing, or are not what they have to be. */
  K8S_TLS: "see that the certificates of the kubeconfig file are there and whole",
} as const;

export type KubernetesErrorCode = keyof typeof remedies;

/** An error that has to do with Kubernetes. Neither it nor its cause may hold a token. */
export function kubernetesError(
  code: KubernetesErrorCode,
  message: string,
  { remedy = remedies[code], cause }: { readonly remedy?: string; readonly cause?: unknown } = {},
): WeaveError {
  return new WeaveError(code, message, { remedy, cause });
}

/** That there is no TLS to an API server, for `TlsFileReader`. */
export function noTls(why: string, cause?: unknown): WeaveError {
  return kubernetesError("K8S_TLS", `no TLS to the Kubernetes API: ${why}`, { cause });
}
