import type { Cluster } from "../../policy/cluster.ts";
import { namespaceOf } from "../../policy/labels.ts";
import { type PolicyDocument, readContent } from "./policy-document.ts";
import { policyKeys } from "./policy-input.ts";

/** A cluster as it would be if these documents were applied. */
export function withDocuments(cluster: Cluster, documents: readonly PolicyDocument[]): Cluster {
  const read = documents.map((document) => readContent(document, document.content));
  const namespaces = [
    ...documents.flatMap(({ kind, scope }) => (kind === "NetworkPolicy" ? namespaceOf(scope) : [])),
    ...cluster.namespaces,
    ...read.flatMap((each) => (each.kind === "namespace" ? each.namespace : [])),
  ];
  const networkPolicies = read.flatMap((each) => (each.kind === "network" ? each.policy : []));
  const clusterPolicies = read.flatMap((each) => (each.kind === "cluster" ? each.policy : []));
  return {
    ...cluster,
    namespaces: latest(namespaces, policyKeys.namespaces),
    networkPolicies: latest(
      [...cluster.networkPolicies, ...networkPolicies],
      policyKeys.networkPolicies,
    ),
    clusterPolicies: latest(
      [...cluster.clusterPolicies, ...clusterPolicies],
      policyKeys.clusterPolicies,
    ),
  };
}

/** Of those with one key the last. */
function latest<T>(all: readonly T[], keyOf: (object: T) => string): T[] {
  return [...new Map(all.map((each) => [keyOf(each), each])).values()];
}
