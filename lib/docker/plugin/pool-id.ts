import { WeaveError } from "../../base/errors.ts";
import { formatIpv4Cidr, type Ipv4Cidr } from "../../base/ip.ts";
import { parseSubnet } from "../../ipam/range.ts";

/** A subnet of a Docker network, and the part of it from which addresses are given out. */
export interface Pool {
  readonly subnet: Ipv4Cidr;
  /** The subnet itself, or what `--ip-range` says. */
  readonly range: Ipv4Cidr;
}

/** What the original's first releases called the default subnet. */
const formerPoolId = "weavepool";

/** `weave-10.32.0.0/12-10.32.0.0/12`: Docker keeps it, so nobody else has to. */
export function formatPoolId({ subnet, range }: Pool): string {
  return `weave-${formatIpv4Cidr(subnet)}-${formatIpv4Cidr(range)}`;
}

/** @throws WeaveError `PLUGIN_POOL` */
export function parsePoolId(text: string, defaultSubnet: Ipv4Cidr): Pool {
  if (text === formerPoolId) return { subnet: defaultSubnet, range: defaultSubnet };
  const [, subnet, range] = /^weave-([\d./]+)-([\d./]+)$/.exec(text) ?? [];
  if (subnet === undefined || range === undefined) {
    throw new WeaveError("PLUGIN_POOL", `"${text.slice(0, 80)}" is no pool of weave`, {
      remedy: "remove the network and create it anew",
    });
  }
  return { subnet: parseSubnet(subnet), range: parseSubnet(range) };
}
