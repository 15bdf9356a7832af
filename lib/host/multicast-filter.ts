import { type Cidr, formatCidr, networkOf, parseCidr } from "../base/ip.ts";
import type { Netlink } from "./netlink/conversation.ts";
import * as match from "./netlink/nft-match.ts";
import * as statement from "./netlink/nft-statement.ts";
import { deleteTable, type NftRule, type NftTable, replaceTable } from "./netlink/nftables.ts";

/** All IPv4 multicast groups. */
export const multicastGroups = parseCidr("224.0.0.0/4");

const table = { family: "ip", name: "weave" } as const;

/**
 * Inside a container: multicast that arrives on the overlay's interface counts only when it comes
 * from a subnet that the container itself is in. Everybody on the overlay hears every group, so
 * without this subnets would not be separate. `netlink` is the container's.
 *
 *   input: from ethwe, to 224.0.0.0/4, from own subnet ──▶ leave it to others
 *          from ethwe, to 224.0.0.0/4                  ──▶ drop
 *
 * @throws SystemError when the kernel has no nf_tables
 */
export function filterMulticast(
  netlink: Netlink,
  interfaceName: string,
  addresses: readonly Cidr[],
): void {
  const subnets = new Map<string, Cidr>();
  for (const cidr of addresses) {
    const subnet = networkOf(cidr);
    if (cidr.address.family === 4) subnets.set(formatCidr(subnet), subnet);
  }
  const groups = [...match.inputInterface(interfaceName), ...match.destination(multicastGroups)];
  const rules: NftRule[] = [...subnets.values()].map((subnet) => ({
    expressions: [...groups, ...match.source(subnet), statement.leaveChain()],
  }));
  rules.push({
    expressions: [...groups, statement.counter(), statement.drop()],
    comment: "multicast from foreign subnets",
  });
  const wanted: NftTable = {
    ...table,
    chains: [{ name: "input", hook: { type: "filter", at: "input", priority: 0 }, rules }],
  };
  replaceTable(netlink, wanted);
}

/** Takes {@link filterMulticast} back. @throws SystemError */
export function stopFilteringMulticast(netlink: Netlink): void {
  deleteTable(netlink, table);
}
