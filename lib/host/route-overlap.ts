import { WeaveError } from "../base/errors.ts";
import { type Cidr, cidrsOverlap, formatCidr, networkOf } from "../base/ip.ts";
import type { Netlink } from "./netlink/conversation.ts";
import { findLink } from "./netlink/link.ts";
import { listRoutes, type Route } from "./netlink/route.ts";

/**
 * The first of the host's routes whose destination shares addresses with `range`; default routes
 * and those over `ignoredInterface` (our own bridge) do not count.
 */
export function findOverlap(
  routes: readonly Route[],
  range: Cidr,
  ignoredInterface: number | undefined,
): Cidr | undefined {
  return routes.find(
    ({ destination, interfaceIndex }) =>
      destination !== undefined &&
      destination.prefix > 0 &&
      (interfaceIndex === undefined || interfaceIndex !== ignoredInterface) &&
      cidrsOverlap(destination, range),
  )?.destination;
}

/** @throws WeaveError `ROUTE_OVERLAP` naming both networks */
export function checkRouteOverlap(netlink: Netlink, range: Cidr, bridgeName: string): void {
  const bridge = findLink(netlink, { name: bridgeName });
  const overlap = findOverlap(listRoutes(netlink, range.address.family), range, bridge?.index);
  if (overlap === undefined) return;
  throw new WeaveError(
    "ROUTE_OVERLAP",
    `Network ${formatCidr(networkOf(range))} overlaps with existing route ${formatCidr(overlap)} on host`,
    { remedy: "pick another range and set it on all hosts" },
  );
}
