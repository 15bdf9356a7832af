import { cidrContains, ipOf } from "../base/ip.ts";
import { type Cluster, namespaceLabels, type Party } from "./cluster.ts";
import type { NamedPort, Peer, Pod, PortRange, TransportProtocol } from "./objects.ts";
import { selects } from "./selector.ts";

/** A port at an address. */
export interface PortAt {
  readonly protocol: TransportProtocol;
  readonly port: number;
}

/** @param own the namespace of the policy, for peers that are chosen in it */
export function matchesPeer(
  cluster: Cluster,
  peer: Peer,
  { pod, node, address }: Party,
  own: string | undefined,
): boolean {
  switch (peer.kind) {
    case "pods": {
      if (pod === undefined || !selects(peer.pods, pod.labels)) return false;
      if (peer.namespaces === "own") return pod.namespace === own;
      const labels = namespaceLabels(cluster, pod.namespace);
      return labels !== undefined && selects(peer.namespaces, labels);
    }
    case "nodes":
      return node !== undefined && selects(peer.nodes, node.labels);
    case "block": {
      if (address === undefined) return false;
      const ip = ipOf(address);
      return (
        cidrContains(peer.block, ip) && !peer.except.some((except) => cidrContains(except, ip))
      );
    }
  }
}

/** Whether a port is among those of a rule; a protocol without ports is among all of them alone. */
export function matchesPorts(
  ports: "any" | readonly PortRange[],
  port: PortAt | undefined,
  destination: Pod | undefined,
): boolean {
  if (ports === "any") return true;
  if (port === undefined) return false;
  return ports.some((range) =>
    range.kind === "numbers"
      ? range.protocol === port.protocol && range.first <= port.port && port.port <= range.last
      : (destination?.ports ?? []).some((named) => isCalled(named, range) && isAt(named, port)),
  );
}

/** Whether a pod means this port by a name. */
export function isCalled(
  { name, protocol }: NamedPort,
  range: PortRange & { kind: "name" },
): boolean {
  return name === range.name && (range.protocol === undefined || range.protocol === protocol);
}

function isAt(named: NamedPort, { protocol, port }: PortAt): boolean {
  return named.protocol === protocol && named.port === port;
}
