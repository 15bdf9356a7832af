import { NETLINK_NETFILTER, NETLINK_ROUTE, NetlinkSocket } from "../../../ffi/libnl.ts";
import type { NetworkNamespace } from "../netns.ts";
import { Netlink } from "./conversation.ts";

/** A socket to the kernel's links, addresses and routes, here or in another namespace. */
export function openRoute(namespace?: NetworkNamespace): Netlink {
  return open(NETLINK_ROUTE, namespace);
}

/** A socket to the kernel's packet filter, here or in another namespace. */
export function openNetfilter(namespace?: NetworkNamespace): Netlink {
  return open(NETLINK_NETFILTER, namespace);
}

function open(protocol: number, namespace: NetworkNamespace | undefined): Netlink {
  const connect = (): Netlink => new Netlink(new NetlinkSocket(protocol));
  return namespace === undefined ? connect() : namespace.run(connect);
}
