import type { Ipv4 } from "../base/ip.ts";
import { listAddresses } from "./netlink/address.ts";
import type { Netlink } from "./netlink/conversation.ts";
import { listLinks } from "./netlink/link.ts";

export interface Underlay {
  readonly name: string;
  readonly mtu: number;
}

/**
 * The interface with the largest MTU by which other hosts may be reached: one that is up and has an
 * IPv4 address, or the one that has `address` where only that is used. Loopback and the bridges of
 * containers, `others`, lead to none. `undefined` when there is no such interface.
 *
 * @throws SystemError
 */
export function widestUnderlay(
  netlink: Netlink,
  address: Ipv4 | undefined,
  others: readonly string[],
): Underlay | undefined {
  const underlays = listLinks(netlink).filter(({ index, name, up, master }) => {
    if (!up || master !== undefined || others.includes(name)) return false;
    const addresses = listAddresses(netlink, { interfaceIndex: index });
    return addresses.some(({ cidr: { address: each } }) => {
      if (each.family !== 4 || each.value >>> 24 === loopbackNet) return false;
      return address === undefined || each.value === address;
    });
  });
  return underlays.sort((a, b) => b.mtu - a.mtu)[0];
}

/** 127.0.0.0/8 */
const loopbackNet = 127;
