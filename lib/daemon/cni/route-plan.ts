import type { CniRoute } from "../../api/router-control.ts";
import {
  type Cidr,
  cidrContains,
  cidrsOverlap,
  type IpAddress,
  ipBits,
  networkOf,
  parseCidr,
  parseIp,
} from "../../base/ip.ts";
import type { GuestRoute } from "../../host/guest-interface.ts";

/** What a network's configuration says of routes (CNI specification, `ipam` in its conventions). */
export interface AskedRoutes {
  readonly gateway?: string;
  /** Absent: a default route. Empty: none. */
  readonly routes?: readonly CniRoute[];
}

export interface RoutePlan {
  /** Where packets for other networks go; absent when there is nowhere. */
  readonly gateway?: IpAddress;
  /** All that are to be made, in this order. */
  readonly routes: readonly GuestRoute[];
}

/** Whether a container can have its routes only when the bridge has an address. */
export function needsBridgeAddress({ gateway, routes }: AskedRoutes): boolean {
  return gateway === undefined && routes === undefined;
}

/**
 * The routes of a container:
 *
 *   none asked for   0.0.0.0/0 by the gateway
 *   listed           each by its own gateway, else by the gateway; what overlaps with the
 *                    container's subnet is on the link
 *
 * The gateway is the one asked for, else an address of the bridge, of the container's subnet if it
 * has one. A gateway outside of the subnet is first made known to be on the link.
 *
 * @throws WeaveError `CIDR_FORMAT`, `IP_FORMAT`
 */
export function planRoutes(cidr: Cidr, asked: AskedRoutes, bridge: readonly Cidr[]): RoutePlan {
  const gateway = asked.gateway === undefined ? ofBridge(cidr, bridge) : parseIp(asked.gateway);
  const { family } = cidr.address;
  const wanted: GuestRoute[] =
    asked.routes === undefined
      ? gateway === undefined
        ? []
        : [{ destination: everything(family), gateway }]
      : asked.routes.map((route) => listedRoute(cidr, route, gateway));
  const strangers = new Map<string, GuestRoute>();
  for (const { gateway: by } of wanted) {
    if (by === undefined || cidrContains(cidr, by)) continue;
    const destination = { address: by, prefix: ipBits(by.family) };
    strangers.set(JSON.stringify(by.value), { destination });
  }
  const isUsed = asked.routes === undefined || wanted.some((route) => route.gateway !== undefined);
  return {
    ...(gateway !== undefined && (isUsed || asked.gateway !== undefined) && { gateway }),
    routes: [...strangers.values(), ...wanted],
  };
}

function listedRoute(
  cidr: Cidr,
  { dst, gw }: CniRoute,
  gateway: IpAddress | undefined,
): GuestRoute {
  const destination = networkOf(parseCidr(dst));
  if (gw !== undefined) return { destination, gateway: parseIp(gw) };
  const isOnLink =
    destination.address.family !== gateway?.family ||
    (destination.prefix > 0 && cidrsOverlap(destination, cidr));
  return isOnLink || gateway === undefined ? { destination } : { destination, gateway };
}

function ofBridge(cidr: Cidr, bridge: readonly Cidr[]): IpAddress | undefined {
  const family = bridge.filter(({ address }) => address.family === cidr.address.family);
  const inside = family.find(({ address }) => cidrContains(cidr, address));
  return (inside ?? family[0])?.address;
}

function everything(family: 4 | 6): Cidr {
  return parseCidr(family === 4 ? "0.0.0.0/0" : "::/0");
}
