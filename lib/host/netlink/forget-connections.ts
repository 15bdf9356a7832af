import type { HostIp } from "../../base/ip.ts";
import { connections, forgetConnection } from "./conntrack.ts";
import type { Netlink } from "./conversation.ts";

/**
 * Has the kernel forget all connections of an address: packets of them are then the first of new ones.
 * Those of an address have it as a source one way or the other: who opened one as that of the original,
 * who was connected to as that of the reply, whatever address led there.
 *
 * @returns how many there were @throws SystemError when the kernel does not tell of connections
 */
export function forgetConnections(netlink: Netlink, address: HostIp): number {
  let count = 0;
  for (const way of ["original", "reply"] as const) {
    // All of them are told before the first is forgotten: on a socket one thing comes after the other.
    const found = [...connections(netlink, { source: { way, address } })].flat();
    count += found.filter((entry) => forgetConnection(netlink, entry)).length;
  }
  return count;
}
