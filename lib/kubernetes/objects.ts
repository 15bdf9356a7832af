import * as v from "valibot";
import { textsByName } from "../base/schema.ts";

/**
 * Objects of the Kubernetes API as it has them, reduced to what is asked for here: a cluster has tens
 * of thousands of pods, and every node keeps them all. Fields that are unknown are left out, those
 * that are missing are empty (API reference v1.33; older servers say less).
 */

const texts = v.optional(v.nullish(textsByName, {}), {});

const metadata = v.object({
  name: v.string(),
  /** Empty for what is of no namespace. */
  namespace: v.optional(v.string(), ""),
  /** Never that of another object, also when the name comes again. */
  uid: v.optional(v.string(), ""),
  /** Opaque but for its order (`resource-version.ts`). */
  resourceVersion: v.optional(v.string(), ""),
  /** RFC 3339. */
  creationTimestamp: v.optional(v.nullish(v.string(), ""), ""),
  /** There while it is on its way out. */
  deletionTimestamp: v.optional(v.string()),
  labels: texts,
  annotations: texts,
});

export const anyObjectSchema = v.object({ metadata });
/** What all objects have. */
export type KubernetesObject = v.InferOutput<typeof anyObjectSchema>;

function list<const Item extends v.GenericSchema>(item: Item) {
  return v.optional(v.nullish(v.array(item), []), []);
}

export const nodeSchema = v.object({
  metadata,
  status: v.optional(
    v.object({
      addresses: list(v.object({ type: v.string(), address: v.string() })),
    }),
    {},
  ),
});
/** A machine of the cluster. */
export type NodeObject = v.InferOutput<typeof nodeSchema>;

const container = v.object({
  /** Of init containers: `Always` for one that stays. */
  restartPolicy: v.optional(v.string()),
  ports: list(
    v.object({
      name: v.optional(v.string(), ""),
      containerPort: v.number(),
      protocol: v.optional(v.string(), "TCP"),
    }),
  ),
});

export const podSchema = v.object({
  metadata,
  spec: v.object({
    /** Empty before it has been given to a node. */
    nodeName: v.optional(v.string(), ""),
    hostNetwork: v.optional(v.boolean(), false),
    containers: list(container),
    initContainers: list(container),
  }),
  status: v.optional(
    v.object({
      /** `Pending`, `Running`, `Succeeded`, `Failed` or `Unknown`. */
      phase: v.optional(v.string(), ""),
      /** The first of {@link podIPs}, which servers before 1.16 do not have. */
      podIP: v.optional(v.string(), ""),
      podIPs: list(v.object({ ip: v.optional(v.string(), "") })),
    }),
    {},
  ),
});
export type PodObject = v.InferOutput<typeof podSchema>;

export const namespaceSchema = anyObjectSchema;
export type NamespaceObject = KubernetesObject;

/** Policies go on to whoever reads them as they came. */
export const policySchema = v.looseObject({ metadata });
/** NetworkPolicy, AdminNetworkPolicy or BaselineAdminNetworkPolicy: all of it, and not checked. */
export type PolicyObject = v.InferOutput<typeof policySchema>;

export const configMapSchema = v.looseObject({ metadata: v.looseObject(metadata.entries) });
/** All of it, because it is written back. */
export type ConfigMapObject = v.InferOutput<typeof configMapSchema>;
