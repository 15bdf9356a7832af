import { WeaveError } from "../base/errors.ts";
import type { Cidr, IpAddress } from "../base/ip.ts";
import { addressesOf } from "./attach.ts";
import { stopFilteringMulticast } from "./multicast-filter.ts";
import type { Netlink } from "./netlink/conversation.ts";
import * as links from "./netlink/link.ts";
import { namespaceId } from "./netlink/namespace-id.ts";
import { openNetfilter, openRoute } from "./netlink/open.ts";
import { addRoute, listRoutes, type Route } from "./netlink/route.ts";
import type { NetworkNamespace } from "./netns.ts";

/** A route by a container's interface; without gateway on the link itself. */
export interface GuestRoute {
  readonly destination: Cidr;
  readonly gateway?: IpAddress;
}

/** Adds routes in this order; those that are there stay. @throws SystemError, WeaveError */
export function addGuestRoutes(
  namespace: NetworkNamespace,
  name: string,
  routes: readonly GuestRoute[],
): void {
  using netlink = openRoute(namespace);
  const guest = links.findLink(netlink, { name });
  if (guest === undefined) {
    throw new WeaveError("ATTACH_FAILED", `interface ${name} vanished while it was set up`);
  }
  for (const route of routes) addRoute(netlink, { ...route, interfaceIndex: guest.index });
}

/**
 * Removes a container's interface, if it is the end of a pair, and what goes with it. False when
 * there was none. @throws SystemError
 */
export function removeGuestInterface(namespace: NetworkNamespace, name: string): boolean {
  using netlink = openRoute(namespace);
  const guest = links.findLink(netlink, { name });
  if (guest?.kind !== "veth" || !links.deleteLink(netlink, guest.index)) return false;
  using netfilter = openNetfilter(namespace);
  stopFilteringMulticast(netfilter);
  return true;
}

/** A container's interface, and the bridge's end of it, as they are. */
export interface GuestState {
  readonly up: boolean;
  /** In octets. */
  readonly mtu: number;
  readonly addresses: readonly Cidr[];
  /** Those of the main table that lead over it. */
  readonly routes: readonly Route[];
  /** Absent when its other end is not on this host, or at no bridge. */
  readonly port?: { readonly bridge: string; readonly hairpin: boolean };
}

/** `undefined` when there is no such interface. @throws SystemError */
export function lookAtGuest(namespace: NetworkNamespace, name: string): GuestState | undefined {
  using netlink = openRoute(namespace);
  const guest = links.findLink(netlink, { name });
  if (guest === undefined) return undefined;
  const { index, up, mtu } = guest;
  const addresses = addressesOf(netlink, index);
  const families = new Set(addresses.map(({ address }) => address.family));
  const routes = [...families].flatMap((family) => listRoutes(netlink, family, index));
  using host = openRoute();
  const port = portOf(host, guest, namespace);
  return { up, mtu, addresses, routes, ...(port !== undefined && { port }) };
}

function portOf(host: Netlink, guest: links.Link, namespace: NetworkNamespace): GuestState["port"] {
  if (guest.peer === undefined) return undefined;
  const port = links.findLink(host, { index: guest.peer });
  if (port?.peer !== guest.index || port.master === undefined) return undefined;
  if (port.peerNamespace !== namespaceId(host, namespace.descriptor)) return undefined;
  const bridge = links.findLink(host, { index: port.master });
  return bridge && { bridge: bridge.name, hairpin: port.hairpin };
}
