import { WeaveError } from "../base/errors.ts";
import { formatIp } from "../base/ip.ts";
import { defaultDeviceNames } from "../host/device-names.ts";
import { listAddresses } from "../host/netlink/address.ts";
import { findLink, listLinks } from "../host/netlink/link.ts";
import { openRoute } from "../host/netlink/open.ts";
import { detectWiring, type Wiring } from "../host/wiring.ts";
import type { Paths } from "./paths.ts";
import { rememberedNames } from "./remove-traces.ts";

/** Questions about devices of this host that need no router. */

/** How containers are wired to the overlay; `undefined` without a bridge. @throws WeaveError */
export function bridgeType(paths: Paths): Wiring | undefined {
  using netlink = openRoute();
  return detectWiring(listLinks(netlink), { ...defaultDeviceNames, ...rememberedNames(paths) });
}

/** The first IPv4 address of an interface. @throws WeaveError `LINK_UNKNOWN`, `LINK_ADDRESS` */
export function firstAddress(interfaceName: string): string {
  using netlink = openRoute();
  const link = findLink(netlink, { name: interfaceName });
  if (link === undefined) {
    throw new WeaveError("LINK_UNKNOWN", `there is no interface ${interfaceName} on this host`, {
      remedy: "start Docker, or name its bridge in DOCKER_BRIDGE",
    });
  }
  const found = listAddresses(netlink, { interfaceIndex: link.index }).find(
    ({ interfaceIndex, cidr }) => interfaceIndex === link.index && cidr.address.family === 4,
  );
  if (found !== undefined) return formatIp(found.cidr.address);
  throw new WeaveError("LINK_ADDRESS", `${interfaceName} has no IPv4 address`);
}
