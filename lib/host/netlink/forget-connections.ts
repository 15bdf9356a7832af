import { isSystemError } from "../../../ffi/system-error.ts";
import { concatBytes, equalBytes } from "../../base/bytes.ts";
import { type HostIp, ipBytes, parseIp } from "../../base/ip.ts";
import type { Netlink } from "./conversation.ts";
import { type Attributes, attribute, attributesBehind, nested, uint32 } from "./message.ts";

/**
 * Connections that the kernel keeps track of in this network namespace, to be forgotten
 * (linux/netfilter/nfnetlink_conntrack.h). Those of an address have it as a source one way or the other:
 * who opened one as that of the original, who was connected to as that of the reply, whatever address
 * led there.
 *
 *    0               1               2               3
 *   +---------------+---------------+-------------------------------+
 *   |    family     |   version 0   |          resource 0           |
 *   +---------------+---------------+-------------------------------+
 *   asked for   tuple of one way ▸ addresses ▸ source;  filter ▸ what of that way counts
 *   told        original, reply, zone, …
 *   forgotten   original, zone
 */
const subsystem = 1 << 8;
const GET = subsystem | 1;
const DELETE = subsystem | 2;
const fixedBytes = 4;
const CTA = { original: 1, reply: 2, zone: 18, filter: 25 } as const;
const TUPLE_IP = 1;
const SOURCE = { 4: 1, 16: 3 } as const;
const familyNumber = { 4: 2, 16: 10 } as const;
/** The attribute of the filter by the way that it is about. */
const FILTER = { [CTA.original]: 1, [CTA.reply]: 2 } as const;
const sourceCounts = 1 << 0;

/**
 * Has the kernel forget all connections of an address: packets of them are then the first of new ones.
 *
 * @returns how many there were @throws SystemError when the kernel does not tell of connections
 */
export function forgetConnections(netlink: Netlink, ip: HostIp): number {
  const address = addressOf(ip);
  const ways = [CTA.original, CTA.reply] as const;
  return ways.reduce((count, way) => count + forgetWay(netlink, address, way), 0);
}

type Address = Uint8Array & { readonly length: 4 | 16 };

function forgetWay(netlink: Netlink, address: Address, way: 1 | 2): number {
  const header = Uint8Array.of(familyNumber[address.length], 0, 0, 0);
  const wanted = concatBytes(header, ...(address.length === 4 ? filterOf(address, way) : []));
  const found = netlink
    .dump(GET, wanted, "connections")
    .map(({ body }) => attributesBehind(fixedBytes, body))
    // Kernels before 5.8 know no filter, and tell of all.
    .filter((each) => hasSource(each, way, address));
  return found.filter((each) => forget(netlink, header, each)).length;
}

/** For IPv4 alone: up to 6.18 the kernel leaves out those of IPv6 that have the address. */
function filterOf(address: Address, way: 1 | 2): Uint8Array[] {
  const source = attribute(SOURCE[address.length], address);
  return [
    nested(way, nested(TUPLE_IP, source)),
    nested(CTA.filter, uint32(FILTER[way], sourceCounts)),
  ];
}

function hasSource(told: Attributes, way: number, address: Address): boolean {
  const source = told.nested(way).nested(TUPLE_IP).bytes(SOURCE[address.length]);
  return source !== undefined && equalBytes(source, address);
}

/** False when it has ended by itself. */
function forget(netlink: Netlink, header: Uint8Array, told: Attributes): boolean {
  const original = told.bytes(CTA.original);
  const zone = told.bytes(CTA.zone);
  if (original === undefined) return false;
  const named = concatBytes(
    header,
    nested(CTA.original, original),
    ...(zone === undefined ? [] : [attribute(CTA.zone, zone)]),
  );
  try {
    netlink.request(DELETE, 0, named, "a connection");
    return true;
  } catch (error) {
    if (isSystemError(error, "ENOENT")) return false;
    throw error;
  }
}

function addressOf(ip: HostIp): Address {
  return ipBytes(typeof ip === "number" ? { family: 4, value: ip } : parseIp(ip)) as Address;
}
