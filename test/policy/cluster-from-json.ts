import { type HostIp, tryParseHostIp } from "../../lib/base/ip.ts";
import type { Cluster } from "../../lib/policy/cluster.ts";
import { labelsOf, namespaceOf } from "../../lib/policy/labels.ts";
import type { PortAt } from "../../lib/policy/match.ts";
import type { Node, Pod, TransportProtocol } from "../../lib/policy/objects.ts";
import { readNetworkPolicy } from "../../lib/policy/read-network-policy.ts";
import { readPolicies } from "../../lib/policy/read-policies.ts";
import type { RawCluster, RawConnection, RawPod } from "./naive-evaluator.ts";
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

/** The same of clusters that have everything: machines, and policies of all kinds. */
export function clusterFromRaw({ namespaces, pods, nodes, policies }: RawCluster): Cluster {
  const { networkPolicies, clusterPolicies } = readPolicies(...policies);
  return {
    namespaces: namespaces.map(({ metadata }) => namespaceOf(metadata.name, metadata.labels)),
    pods: pods.map((pod) => podFromRaw(pod)),
    nodes: (nodes ?? []).map(nodeFromRaw),
    ...{ networkPolicies, clusterPolicies },
  };
}

/** @param here the machine whose packet filter is meant; missing for all at once */
export function podFromRaw({ metadata, spec, status }: RawPod, here?: string): Pod {
  const { uid: id, namespace, name, labels, creationSeconds } = metadata;
  return {
    ...{ id, namespace, name, labels: labelsOf(labels), node: spec.nodeName },
    addresses: status.podIPs.map(({ ip }) => ipOf(ip)),
    ports: spec.containers.flatMap(({ ports }) =>
      ports.map((port) => ({
        name: port.name ?? "",
        protocol: protocolOf(port.protocol),
        port: port.containerPort,
      })),
    ),
    isLocal: here === undefined || spec.nodeName === here,
    sinceMs: (creationSeconds ?? 0) * 1000,
  };
}

export function nodeFromRaw({ metadata, status }: NonNullable<RawCluster["nodes"]>[number]): Node {
  const addresses = status.addresses.map(({ address }) => ipOf(address));
  return { name: metadata.name, labels: labelsOf(metadata.labels), addresses };
}

export function portOf({ protocol, port }: RawConnection): PortAt | undefined {
  return port === undefined ? undefined : { protocol: protocolOf(protocol), port };
}

function protocolOf(text: string | undefined): TransportProtocol {
  return text === "UDP" || text === "SCTP" ? text : "TCP";
}
