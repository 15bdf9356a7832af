import { isSystemError } from "../../../ffi/system-error.ts";
import { concatBytes } from "../../base/bytes.ts";
import { type Cidr, formatCidr, formatIp, type IpAddress, ipBits, ipBytes } from "../../base/ip.ts";
import type { Netlink } from "./conversation.ts";
import * as message from "./message.ts";
import { attributesBehind, flags } from "./message.ts";

/**
 * Routes (rtnetlink(7), linux/rtnetlink.h).
 *
 *   rtmsg (12)
 *   +--------+---------+---------+-----+-------+----------+-------+------+----------+
 *   | family | dst len | src len | tos | table | protocol | scope | type | flags: 4 |
 *   +--------+---------+---------+-----+-------+----------+-------+------+----------+
 */
export interface Route {
  /** `undefined` for a default route. */
  readonly destination: Cidr | undefined;
  readonly gateway: IpAddress | undefined;
  readonly interfaceIndex: number | undefined;
}

const rtmsgBytes = 12;
const RTM = { newRoute: 24, deleteRoute: 25, getRoute: 26 } as const;
const RTA = {
  destination: 1,
  outputInterface: 4,
  gateway: 5,
  source: 7,
  metrics: 8,
  table: 15,
} as const;
const METRIC_MTU = 2;
const AF_INET = 2;
const AF_INET6 = 10;
const mainTable = 254;
const protocolKernel = 2;
const protocolStatic = 4;
const scopeUniverse = 0;
const scopeLink = 253;
const typeUnicast = 1;

/** A route to add or delete; without a gateway the destination is on the link itself. */
export interface RouteSettings {
  readonly destination: Cidr;
  readonly interfaceIndex: number;
  readonly gateway?: IpAddress;
  /** The address of the interface for which the kernel makes this route by itself. */
  readonly source?: IpAddress;
}

/** False when it was there already. @throws SystemError */
export function addRoute(netlink: Netlink, route: RouteSettings): boolean {
  try {
    netlink.request(
      RTM.newRoute,
      flags.create | flags.exclusive,
      routeBody(route),
      `route ${formatCidr(route.destination)}`,
    );
    return true;
  } catch (error) {
    if (isSystemError(error, "EEXIST")) return false;
    throw error;
  }
}

/** False when there was none. @throws SystemError */
export function deleteRoute(netlink: Netlink, route: RouteSettings): boolean {
  try {
    netlink.request(RTM.deleteRoute, 0, routeBody(route), `route ${formatCidr(route.destination)}`);
    return true;
  } catch (error) {
    if (isSystemError(error, "ESRCH", "ENODEV")) return false;
    throw error;
  }
}

/** The main table's routes of one family, or those over one interface. @throws SystemError */
export function listRoutes(netlink: Netlink, family: 4 | 6 = 4, interfaceIndex?: number): Route[] {
  const header = new Uint8Array(rtmsgBytes);
  header[0] = family === 4 ? AF_INET : AF_INET6;
  // An old kernel gives those over all of them.
  const over =
    interfaceIndex === undefined ? [] : [message.uint32(RTA.outputInterface, interfaceIndex)];
  return netlink.dump(RTM.getRoute, concatBytes(header, ...over), "routes").flatMap(({ body }) => {
    const attributes = attributesBehind(rtmsgBytes, body);
    if ((attributes.uint32(RTA.table) ?? body[4]) !== mainTable) return [];
    const destination = attributes.ip(RTA.destination);
    const output = attributes.uint32(RTA.outputInterface);
    if (interfaceIndex !== undefined && output !== interfaceIndex) return [];
    return [
      {
        destination: destination && { address: destination, prefix: body[1]! },
        gateway: attributes.ip(RTA.gateway),
        interfaceIndex: output,
      },
    ];
  });
}

/** The way of packets to one address, as the kernel would send them now. */
export interface ResolvedRoute {
  readonly gateway: IpAddress | undefined;
  readonly interfaceIndex: number;
  /** Where it is not the interface's: told by the route, or by a router on the way. */
  readonly mtu: number | undefined;
}

/** `undefined` when nothing leads there. @throws SystemError */
export function findRoute(netlink: Netlink, address: IpAddress): ResolvedRoute | undefined {
  const header = new Uint8Array(rtmsgBytes);
  header.set([address.family === 4 ? AF_INET : AF_INET6, ipBits(address.family)]);
  const body = concatBytes(header, message.attribute(RTA.destination, ipBytes(address)));
  try {
    const [found] = netlink.request(RTM.getRoute, 0, body, `route to ${formatIp(address)}`);
    if (found === undefined) return undefined;
    const attributes = attributesBehind(rtmsgBytes, found.body);
    const interfaceIndex = attributes.uint32(RTA.outputInterface);
    if (interfaceIndex === undefined) return undefined;
    const mtu = attributes.nested(RTA.metrics).uint32(METRIC_MTU);
    return { gateway: attributes.ip(RTA.gateway), interfaceIndex, mtu: mtu || undefined };
  } catch (error) {
    if (isSystemError(error, "ENETUNREACH", "EHOSTUNREACH", "ESRCH", "EACCES", "EINVAL")) {
      return undefined;
    }
    throw error;
  }
}

function routeBody(route: RouteSettings): Uint8Array {
  const header = new Uint8Array(rtmsgBytes);
  const { address, prefix } = route.destination;
  const scope = route.gateway === undefined ? scopeLink : scopeUniverse;
  header.set([address.family === 4 ? AF_INET : AF_INET6, prefix, 0, 0, mainTable]);
  const protocol = route.source === undefined ? protocolStatic : protocolKernel;
  header.set([protocol, scope, typeUnicast], 5);
  return concatBytes(
    header,
    message.attribute(RTA.destination, ipBytes(address)),
    message.uint32(RTA.outputInterface, route.interfaceIndex),
    ...(route.gateway === undefined
      ? []
      : [message.attribute(RTA.gateway, ipBytes(route.gateway))]),
    ...(route.source === undefined ? [] : [message.attribute(RTA.source, ipBytes(route.source))]),
  );
}
