import {
  formatIp,
  formatIpv4,
  type Ipv4,
  parseCidr,
  parseIp,
  parseIpv4,
} from "../../lib/base/ip.ts";
import { addAddress, listAddresses } from "../../lib/host/netlink/address.ts";
import { changeLink, createBridge, createVeth, findLink } from "../../lib/host/netlink/link.ts";
import { openRoute } from "../../lib/host/netlink/open.ts";
import { addRoute } from "../../lib/host/netlink/route.ts";
import type { NetworkNamespace } from "../../lib/host/netns.ts";
import { setSysctl } from "../../lib/host/sysctl.ts";
import { awaitAddresses, Laboratory } from "../host/laboratory.ts";

/** A namespace in a pod's place. */
export interface LabPod {
  readonly namespace: NetworkNamespace;
  readonly ipv4: Ipv4;
  readonly ipv6: string;
}

export const podBridge = "weave";

/**
 * Hosts with a bridge each, to which pods are connected, on the real kernel:
 *
 *   pod ─ eth0 ═ [ weave of host 1 ] ═══ [ weave of host 2 ] ═ eth0 ─ pod
 *
 * All pods are in 10.32.0.0/16 and fd32::/64, and no host is.
 */
export class PodLab implements Disposable {
  readonly hosts: readonly NetworkNamespace[];
  readonly #laboratory: Laboratory;
  #ports = 0;

  /** @param tag tells labs apart; at most four characters, for names of namespaces */
  constructor(tag: string, hostCount: 1 | 2) {
    this.#laboratory = new Laboratory(tag);
    this.hosts = Array.from({ length: hostCount }, (_, index) => {
      const namespace = this.#laboratory.namespace(`host${index + 1}`);
      using netlink = openRoute(namespace);
      createBridge(netlink, { name: podBridge, up: true });
      return namespace;
    });
    if (hostCount === 2) this.#plug(this.hosts[0]!, this.hosts[1]!, "peer", podBridge);
  }

  /** A pod at the address of that number in both networks. */
  pod(host: NetworkNamespace, number: number): LabPod {
    const namespace = this.#laboratory.namespace(`pod${number}`);
    this.#plug(host, namespace, "eth0", undefined);
    const ipv4 = parseIpv4("10.32.0.0") + number;
    const ipv6 = `fd32::${number.toString(16)}`;
    using netlink = openRoute(namespace);
    const { index } = findLink(netlink, { name: "eth0" })!;
    addAddress(netlink, index, parseCidr(`${formatIpv4(ipv4)}/16`));
    addAddress(netlink, index, parseCidr(`${ipv6}/64`));
    awaitAddresses(namespace);
    return { namespace, ipv4, ipv6 };
  }

  /** Gives the first host an address among its pods, and somebody behind it to whom it routes. */
  connectOutside(pods: readonly LabPod[]): { readonly node: LabPod; readonly outside: LabPod } {
    const [host] = this.hosts;
    const node: LabPod = { namespace: host!, ipv4: parseIpv4("10.32.255.1"), ipv6: "fd32::ffff" };
    {
      using netlink = openRoute(host);
      const { index } = findLink(netlink, { name: podBridge })!;
      addAddress(netlink, index, parseCidr(`${formatIpv4(node.ipv4)}/16`));
    }
    const namespace = this.#laboratory.namespace("outside");
    this.#laboratory.cable(
      { in: host!, name: "uplink", address: "198.51.100.1/24" },
      { in: namespace, name: "eth0", address: "198.51.100.2/24" },
    );
    host!.run(() => setSysctl("ipv4/ip_forward", 1));
    for (const pod of pods) routeAll(pod.namespace, formatIpv4(node.ipv4));
    routeAll(namespace, "198.51.100.1");
    const outside = { namespace, ipv4: parseIpv4("198.51.100.2"), ipv6: "::1" };
    return { node, outside };
  }

  [Symbol.dispose](): void {
    this.#laboratory.close();
  }

  /** A cable from a host's bridge to an interface elsewhere, or to a bridge there. */
  #plug(
    host: NetworkNamespace,
    other: NetworkNamespace,
    name: string,
    otherBridge: string | undefined,
  ): void {
    const near = `p${++this.#ports}`;
    using here = openRoute(host);
    const far = { name, namespaceDescriptor: other.descriptor };
    createVeth(here, { name: near }, far);
    const master = findLink(here, { name: podBridge })!.index;
    const { index: port } = findLink(here, { name: near })!;
    changeLink(here, port, { master, up: true });
    // As pods have it, so that one may be sent back to itself.
    if (otherBridge === undefined) changeLink(here, port, { hairpin: true });
    using there = openRoute(other);
    const bridge = otherBridge === undefined ? undefined : findLink(there, { name: otherBridge });
    const { index } = findLink(there, { name })!;
    changeLink(there, index, { up: true, ...(bridge && { master: bridge.index }) });
  }
}

function routeAll(namespace: NetworkNamespace, gateway: string): void {
  using netlink = openRoute(namespace);
  const interfaceIndex = findLink(netlink, { name: "eth0" })!.index;
  addRoute(netlink, {
    destination: parseCidr("0.0.0.0/0"),
    gateway: parseIp(gateway),
    interfaceIndex,
  });
}

/** The address that every interface of IPv6 gives itself. */
export function linkLocalOf({ namespace }: LabPod): string {
  const scopeLink = 253;
  using netlink = openRoute(namespace);
  const { index } = findLink(netlink, { name: "eth0" })!;
  const found = listAddresses(netlink, { interfaceIndex: index });
  return formatIp(found.find(({ scope }) => scope === scopeLink)!.cidr.address);
}
