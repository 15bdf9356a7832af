import { formatIpv4, type Ipv4, parseCidr, parseIpv4 } from "../../lib/base/ip.ts";
import { addAddress } from "../../lib/host/netlink/address.ts";
import { changeLink, createBridge, createVeth, findLink } from "../../lib/host/netlink/link.ts";
import { openRoute } from "../../lib/host/netlink/open.ts";
import type { NetworkNamespace } from "../../lib/host/netns.ts";
import { Laboratory } from "../host/laboratory.ts";

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
    return { namespace, ipv4, ipv6 };
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
    changeLink(here, findLink(here, { name: near })!.index, { master, up: true });
    using there = openRoute(other);
    const bridge = otherBridge === undefined ? undefined : findLink(there, { name: otherBridge });
    const { index } = findLink(there, { name })!;
    changeLink(there, index, { up: true, ...(bridge && { master: bridge.index }) });
  }
}
