import type { CniCheckRequest } from "../../api/router-control.ts";
import { type Cidr, equalIp, formatCidr, parseCidr, parseIp } from "../../base/ip.ts";
import { includesCidr } from "../../host/attach.ts";
import type { GuestState } from "../../host/guest-interface.ts";

/** What of an interface is to be compared. */
export type WantedInterface = Pick<
  CniCheckRequest,
  "interface" | "cidrs" | "routes" | "mtu" | "hairpin"
> & { readonly bridge: string };

/**
 * What of a container's interface is not as it was made: a sentence each, nothing for all in order.
 *
 * @throws WeaveError `CIDR_FORMAT`, `IP_FORMAT` for what is wanted
 */
export function discrepancies(wanted: WantedInterface, found: GuestState | undefined): string[] {
  const { interface: name, bridge, mtu, hairpin } = wanted;
  const cidrs = wanted.cidrs.map(parseCidr);
  if (found === undefined) return [`there is no interface ${name}`];
  const { port } = found;
  return [
    ...(found.up ? [] : [`${name} is down`]),
    ...(port?.bridge === bridge ? [] : [`${name} does not lead to bridge ${bridge}`]),
    ...(port?.bridge !== bridge || port.hairpin === hairpin
      ? []
      : [`hairpin mode is ${port.hairpin ? "on" : "off"}`]),
    ...(mtu === undefined || found.mtu === mtu ? [] : [`the MTU is ${found.mtu}, not ${mtu}`]),
    ...cidrs
      .filter((cidr) => !includesCidr(found.addresses, cidr))
      .map((cidr) => `${name} has no address ${formatCidr(cidr)}`),
    ...wanted.routes
      .filter((route) => !hasRoute(route, cidrs, found))
      .map(({ dst, gw }) => `there is no route to ${dst}${gw === undefined ? "" : ` via ${gw}`}`),
  ];
}

/** The kernel's own route to the subnet of an address counts as one on the link. */
function hasRoute(
  { dst, gw }: CniCheckRequest["routes"][number],
  cidrs: readonly Cidr[],
  { routes }: GuestState,
): boolean {
  const wanted = parseCidr(dst);
  const gateway = gw === undefined ? undefined : parseIp(gw);
  if (gateway === undefined && includesCidr(cidrs, wanted)) return true;
  return routes.some((route) => {
    const leads =
      route.destination === undefined
        ? wanted.prefix === 0
        : includesCidr([route.destination], wanted);
    // Without one the configuration leaves it open by which gateway.
    const by = gateway === undefined || (route.gateway && equalIp(route.gateway, gateway));
    return leads && by === true;
  });
}
