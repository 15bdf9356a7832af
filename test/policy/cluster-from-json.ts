import { type HostIp, tryParseHostIp } from "../../lib/base/ip.ts";
import type { Cluster } from "../../lib/policy/cluster.ts";
import { labelsOf, namespaceOf } from "../../lib/policy/labels.ts";
import type { Pod } from "../../lib/policy/objects.ts";
import { readNetworkPolicy } from "../../lib/policy/read-network-policy.ts";
import type { ClusterJson, PodJson } from "./suites/cluster-json.ts";

/** Objects as the API shows them, as the policy core knows them. */
export function clusterFromJson({ namespaces, pods, policies }: ClusterJson): Cluster {
  return {
    namespaces: namespaces.map(({ metadata }) => namespaceOf(metadata.name, metadata.labels)),
    pods: pods.map(podFromJson),
    nodes: [],
    networkPolicies: policies.map((policy) => readNetworkPolicy(policy).policy),
    clusterPolicies: [],
  };
}

export function podFromJson({ metadata, spec, status }: PodJson): Pod {
  const { uid: id, namespace, name, labels } = metadata;
  return {
    ...{ id, namespace, name, labels: labelsOf(labels) },
    addresses: status.podIPs.map(({ ip }) => ipOf(ip)),
    ports: spec.containers.flatMap(({ ports }) =>
      ports.map(({ name, containerPort, protocol }) => ({ name, protocol, port: containerPort })),
    ),
    ...{ isLocal: true, sinceMs: 0 },
  };
}

export function ipOf(text: string): HostIp {
  const address = tryParseHostIp(text);
  if (address === undefined) throw new Error(`${text} is no address`);
  return address;
}
