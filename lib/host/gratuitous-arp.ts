import { closeElsewhere } from "../../ffi/descriptor.ts";
import {
  AF_PACKET,
  bindSocket,
  openSocket,
  SOCK_RAW,
  sendOne,
  sockaddrLl,
} from "../../ffi/socket.ts";
import { type Cidr, ipBytes } from "../base/ip.ts";
import { type Link, macBytes } from "./netlink/link.ts";

/** EtherType of ARP. */
const etherTypeArp = 0x0806;

/**
 * The announcement "this address is at this MAC" (RFC 5227 §2.3): an ARP request to everybody whose
 * sender and target are the same address.
 *
 *   +--------------+--------+------+------+------+---+---+-----+--------+--------+------+--------+
 *   | ff:…:ff (6)  | mac: 6 | 0806 | 0001 | 0800 | 6 | 4 | 0001| mac: 6 | ip: 4  | 0: 6 | ip: 4  |
 *   +--------------+--------+------+------+------+---+---+-----+--------+--------+------+--------+
 */
export function gratuitousArp(mac: Uint8Array, ip: Uint8Array): Uint8Array<ArrayBuffer> {
  const frame = new Uint8Array(42);
  frame.fill(0xff, 0, 6);
  frame.set(mac, 6);
  frame.set([0x08, 0x06, 0, 1, 0x08, 0, 6, 4, 0, 1], 12);
  frame.set(mac, 22);
  frame.set(ip, 28);
  frame.set(ip, 38);
  return frame;
}

/**
 * Announces IPv4 addresses of an interface that is up, so that neighbours with an old entry notice.
 * Call it inside the interface's namespace. @throws SystemError
 */
export function announceAddresses(
  link: Pick<Link, "index" | "name" | "mac">,
  cidrs: readonly Cidr[],
): void {
  const addresses = cidrs.map(({ address }) => address).filter(({ family }) => family === 4);
  if (addresses.length === 0) return;
  const socket = openSocket(AF_PACKET, SOCK_RAW, 0, "for ARP");
  try {
    bindSocket(socket, sockaddrLl(link.index, etherTypeArp), link.name);
    const mac = macBytes(link);
    for (const address of addresses) {
      sendOne(socket, gratuitousArp(mac, ipBytes(address)), `ARP on ${link.name}`);
    }
  } finally {
    // That waits until no processor looks at it any more, tens of milliseconds.
    closeElsewhere(socket);
  }
}
