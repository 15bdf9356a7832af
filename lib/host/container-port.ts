import type { Netlink } from "./netlink/conversation.ts";
import { changeLink, findLink, type Link } from "./netlink/link.ts";
import { refuseRouterAdvertisements } from "./sysctl.ts";

/**
 * Makes the bridge's end of a container's interface what it was when it was attached: plugged in,
 * switched on, and taking what the container's end sends. One sentence for each thing done.
 *
 * @throws SystemError
 */
export function mendContainerPort(netlink: Netlink, bridge: Link, port: Link): string[] {
  const mended: string[] = [];
  const { index, name } = port;
  if (port.master === undefined) {
    changeLink(netlink, index, { master: bridge.index });
    changeLink(netlink, index, { hairpin: true });
    mended.push(`plugged ${name} into ${bridge.name} again`);
  }
  const mtu = mtuOfOtherEnd(netlink, port);
  if (!port.up || mtu !== port.mtu) {
    changeLink(netlink, index, { up: true, mtu });
    mended.push(`set up ${name}`);
    // The kernel forgets what it was told of IPv6 while an MTU is too small for it.
    refuseRouterAdvertisements(name);
  }
  return mended;
}

/** The container's own choice counts. */
function mtuOfOtherEnd(netlink: Netlink, { peer, peerNamespace, mtu }: Link): number {
  if (peer === undefined || peerNamespace === undefined) return mtu;
  return findLink(netlink, { index: peer, namespace: peerNamespace })?.mtu ?? mtu;
}
