import { type IpFamily, parseCidr } from "../../base/ip.ts";
import type { PacketChain, PacketRule } from "./packet-rule.ts";

/** Ports of the router that not everybody who can send to this host is to reach. */
export interface GuardedPorts {
  /** TCP ports of listeners on a loopback address: for this host alone. */
  readonly ofLoopback: readonly number[];
  /** TCP and UDP port of the mesh; the next is UDP for VXLAN. For other hosts alone. */
  readonly mesh: number;
  /** Bridges of containers, who have no business with other hosts' routers. */
  readonly containerBridges: readonly string[];
}

const loopback = parseCidr("127.0.0.0/8");

/**
 * Keeps neighbours from the control API and containers from the mesh (host-network §6.1):
 *
 *   who comes by             and wants                                   is dropped
 *   another link than lo     127.0.0.0/8, a port of the control API      kube-proxy makes the
 *                                                                        kernel route to these
 *   a bridge of containers   the mesh by TCP or UDP, or VXLAN            else they could join
 *
 * The second holds for both families; what comes from elsewhere to ::1 no kernel takes.
 */
export function guardChains(ports: GuardedPorts): PacketChain[] {
  const ofMesh = meshRules(ports);
  const chain = (family: IpFamily, rules: readonly PacketRule[]): PacketChain => ({
    ...{ family, at: "input", rules },
  });
  return [chain(4, [...controlRules(ports), ...ofMesh]), chain(6, ofMesh)];
}

function controlRules({ ofLoopback }: GuardedPorts): PacketRule[] {
  return ofLoopback.map((number) => ({
    from: { isNot: "lo" },
    destination: { is: loopback },
    port: { protocol: "tcp", number },
    verdict: "drop",
    comment: "the control API is for this host alone",
  }));
}

function meshRules({ mesh, containerBridges }: GuardedPorts): PacketRule[] {
  const ports = [
    { protocol: "tcp", number: mesh },
    { protocol: "udp", number: mesh },
    { protocol: "udp", number: mesh + 1 },
  ] as const;
  return containerBridges.flatMap((bridge) =>
    ports.map((port) => ({
      ...{ from: { is: bridge }, port, verdict: "drop" },
      comment: "the mesh is for hosts, not for containers",
    })),
  );
}
