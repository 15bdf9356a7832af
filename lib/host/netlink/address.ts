import { isSystemError } from "../../../ffi/system-error.ts";
import { concatBytes } from "../../base/bytes.ts";
import { type Cidr, formatCidr, ipBits, ipBytes } from "../../base/ip.ts";
import type { Netlink } from "./conversation.ts";
import * as message from "./message.ts";
import { attributesBehind, flags, viewOf } from "./message.ts";

/**
 * Addresses of interfaces (rtnetlink(7), linux/if_addr.h).
 *
 *   ifaddrmsg (8)
 *   +-----------+-----------+----------+----------+------------------+
 *   | family: 1 | prefix: 1 | flags: 1 | scope: 1 | interface index: |   then attributes
 *   +-----------+-----------+----------+----------+------------------+
 */
export interface InterfaceAddress {
  readonly interfaceIndex: number;
  readonly cidr: Cidr;
  /** Lower means wider: 0 is the universe, 253 the link, 254 the host. */
  readonly scope: number;
}

const ifaddrBytes = 8;
const RTM = { newAddress: 20, deleteAddress: 21, getAddress: 22 } as const;
const IFA = { address: 1, local: 2, broadcast: 4, targetNamespace: 10 } as const;
const AF_INET = 2;
const AF_INET6 = 10;
/** Multicast group of changes to IPv4 addresses, for {@link NetlinkSocket.join}, and what tells of a loss. */
export const addressChanges = { group: 5, lost: RTM.deleteAddress as number };

/** False when the interface had the address already. @throws SystemError */
export function addAddress(netlink: Netlink, interfaceIndex: number, cidr: Cidr): boolean {
  const broadcast = broadcastAddress(cidr);
  const body = concatBytes(
    addressBody(interfaceIndex, cidr),
    ...(broadcast === undefined ? [] : [message.attribute(IFA.broadcast, broadcast)]),
  );
  try {
    netlink.request(RTM.newAddress, flags.create | flags.exclusive, body, formatCidr(cidr));
    return true;
  } catch (error) {
    if (isSystemError(error, "EEXIST")) return false;
    throw error;
  }
}

/** False when the interface did not have the address. @throws SystemError */
export function deleteAddress(netlink: Netlink, interfaceIndex: number, cidr: Cidr): boolean {
  try {
    netlink.request(RTM.deleteAddress, 0, addressBody(interfaceIndex, cidr), formatCidr(cidr));
    return true;
  } catch (error) {
    if (isSystemError(error, "EADDRNOTAVAIL", "ENODEV")) return false;
    throw error;
  }
}

/** Addresses of one interface, here or in a namespace that this one knows by number. */
export function listAddresses(
  netlink: Netlink,
  of: { readonly interfaceIndex: number; readonly namespace?: number },
): InterfaceAddress[] {
  const header = new Uint8Array(ifaddrBytes);
  new DataView(header.buffer).setUint32(4, of.interfaceIndex, true);
  const body =
    of.namespace === undefined
      ? header
      : concatBytes(header, message.uint32(IFA.targetNamespace, of.namespace));
  return netlink.dump(RTM.getAddress, body, "addresses").flatMap(({ body: found }) => {
    const attributes = attributesBehind(ifaddrBytes, found);
    const address = attributes.ip(IFA.local) ?? attributes.ip(IFA.address);
    if (address === undefined) return [];
    const interfaceIndex = viewOf(found).getUint32(4, true);
    return [
      {
        interfaceIndex,
        cidr: { address, prefix: found[1]! },
        scope: found[3]!,
      },
    ];
  });
}

function addressBody(interfaceIndex: number, cidr: Cidr): Uint8Array {
  const header = new Uint8Array(ifaddrBytes);
  header[0] = cidr.address.family === 4 ? AF_INET : AF_INET6;
  header[1] = cidr.prefix;
  new DataView(header.buffer).setUint32(4, interfaceIndex, true);
  const address = ipBytes(cidr.address);
  return concatBytes(
    header,
    message.attribute(IFA.local, address),
    message.attribute(IFA.address, address),
  );
}

/** The subnet's broadcast address, where there is room for one. */
function broadcastAddress(cidr: Cidr): Uint8Array | undefined {
  if (cidr.address.family !== 4 || cidr.prefix > 30) return undefined;
  const hostMask = 2 ** (ipBits(4) - cidr.prefix) - 1;
  return ipBytes({ family: 4, value: (cidr.address.value | hostMask) >>> 0 });
}
