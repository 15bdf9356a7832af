import { tryParseHostIp } from "../../base/ip.ts";
import { labelsOf, namespaceOf } from "../../policy/labels.ts";
import type { NamedPort, Namespace, Node, Pod, TransportProtocol } from "../../policy/objects.ts";
import type { NamespaceObject, NodeObject, PodObject } from "../objects.ts";

/** Objects of the API as policies speak of them (kubernetes §8.2, §9). */

export function policyNamespace({ metadata }: NamespaceObject): Namespace {
  return namespaceOf(metadata.name, metadata.labels);
}

/** Of what stands for a static pod of a node: the id by which its runtime knows it. Anybody may write it. */
const mirrorAnnotation = "kubernetes.io/config.mirror";

/** A pod of its host's own network, or one that has ended, has no addresses: others may have them. */
export function policyPod(object: PodObject, nodeName: string): Pod {
  const { metadata, spec, status } = object;
  const runtimeId = metadata.annotations[mirrorAnnotation];
  const hasEnded = status.phase === "Succeeded" || status.phase === "Failed";
  return {
    id: metadata.uid,
    ...(runtimeId !== undefined && { runtimeId }),
    namespace: metadata.namespace,
    name: metadata.name,
    labels: labelsOf(metadata.labels),
    addresses: hasEnded || spec.hostNetwork ? [] : addressesOf(object).flatMap(hostIp),
    ports: portsOf(object),
    ...(spec.nodeName !== "" && { node: spec.nodeName }),
    isLocal: spec.nodeName === nodeName,
    sinceMs: Date.parse(metadata.creationTimestamp) || 0,
  };
}

export function policyNode({ metadata, status }: NodeObject): Node {
  return {
    name: metadata.name,
    labels: labelsOf(metadata.labels),
    addresses: status.addresses
      .filter(({ type }) => type === "InternalIP" || type === "ExternalIP")
      .flatMap(({ address }) => hostIp(address)),
  };
}

function addressesOf({ status: { podIP, podIPs } }: PodObject): string[] {
  const all = podIPs.map(({ ip }) => ip);
  return all.length > 0 ? all : [podIP];
}

function hostIp(text: string) {
  return tryParseHostIp(text) ?? [];
}

const protocols: readonly string[] = ["TCP", "UDP", "SCTP"] satisfies TransportProtocol[];

/** Those with a name; an init container that stays is a container like all others. */
function portsOf({ spec: { containers, initContainers } }: PodObject): NamedPort[] {
  const staying = initContainers.filter(({ restartPolicy }) => restartPolicy === "Always");
  return [...containers, ...staying]
    .flatMap(({ ports }) => ports)
    .flatMap(({ name, protocol, containerPort: port }) =>
      name !== "" && isProtocol(protocol) ? [{ name, protocol, port }] : [],
    );
}

function isProtocol(text: string): text is TransportProtocol {
  return protocols.includes(text);
}
