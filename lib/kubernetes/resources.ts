import type * as v from "valibot";
import { parsedBy } from "../base/schema.ts";
import { kubernetesError } from "./kubernetes-error.ts";
import {
  configMapSchema,
  type KubernetesObject,
  namespaceSchema,
  nodeSchema,
  podSchema,
  policySchema,
} from "./objects.ts";

/** A kind of objects: where the API has them, and how one is read. */
export interface Resource<T extends KubernetesObject = KubernetesObject> {
  /** Empty for the core group. */
  readonly group: string;
  readonly version: string;
  /** As in paths, RBAC and `kubectl get`. */
  readonly plural: string;
  readonly kind: string;
  /** Whether there are clusters without this kind: those where nobody has defined it. */
  readonly isOptional: boolean;
  /** @throws WeaveError `K8S_ANSWER` */
  read(raw: unknown): T;
}

/** Of definitions that few clusters have. */
const clusterPolicies = "policy.networking.k8s.io/v1alpha1";

function resource<Schema extends v.GenericSchema<unknown, KubernetesObject>>(
  apiVersion: string,
  plural: string,
  kind: string,
  schema: Schema,
): Resource<v.InferOutput<Schema>> {
  const slash = apiVersion.indexOf("/");
  return {
    ...{ group: apiVersion.slice(0, Math.max(0, slash)), version: apiVersion.slice(slash + 1) },
    ...{ plural, kind, isOptional: apiVersion === clusterPolicies },
    read: (raw) =>
      parsedBy(schema, raw, kind, (why) =>
        kubernetesError("K8S_ANSWER", `the API server sent a ${kind} that is none: ${why}`),
      ),
  };
}

/** The kinds that are asked for. */
export const nodes = resource("v1", "nodes", "Node", nodeSchema);
export const pods = resource("v1", "pods", "Pod", podSchema);
export const namespaces = resource("v1", "namespaces", "Namespace", namespaceSchema);
export const configMaps = resource("v1", "configmaps", "ConfigMap", configMapSchema);
export const networkPolicies = resource(
  "networking.k8s.io/v1",
  "networkpolicies",
  "NetworkPolicy",
  policySchema,
);
export const adminNetworkPolicies = resource(
  clusterPolicies,
  "adminnetworkpolicies",
  "AdminNetworkPolicy",
  policySchema,
);
export const baselineAdminNetworkPolicies = resource(
  clusterPolicies,
  "baselineadminnetworkpolicies",
  "BaselineAdminNetworkPolicy",
  policySchema,
);

/** `networkpolicies.networking.k8s.io`, as RBAC and `kubectl` name it. */
export function resourceName({ plural, group }: Resource): string {
  return group === "" ? plural : `${plural}.${group}`;
}

/** Path of one object, or of all of a namespace or of the cluster. */
export function resourcePath(
  { group, version, plural }: Resource,
  { namespace = "", name = "", subresource = "" }: ObjectPlace = {},
): string {
  const parts = [
    ...(group === "" ? ["api", version] : ["apis", group, version]),
    ...(namespace === "" ? [] : ["namespaces", namespace]),
    ...[plural, name, subresource].filter((part) => part !== ""),
  ];
  return `/${parts.map(encodeURIComponent).join("/")}`;
}

/** Which object is meant. */
export interface ObjectPlace {
  readonly namespace?: string;
  readonly name?: string;
  /** Such as `status`. */
  readonly subresource?: string;
}
