import { readUint16, writeUint16, writeUint32 } from "../base/bytes.ts";

/**
 * An IPv6 header (RFC 8200).
 *
 *    0               1               2               3
 *   +-------+---------------+---------------------------------------+
 *   |version| traffic class |              flow label               |
 *   +-------+---------------+-------+---------------+---------------+
 *   |         payload length        |  next header  |   hop limit   |
 *   +-------------------------------+---------------+---------------+
 *   |                    source address, 16 octets                  |
 *   +---------------------------------------------------------------+
 *   |                 destination address, 16 octets                |
 *   +---------------------------------------------------------------+
 */
export const ipv6HeaderSize = 40;

/** Every IPv6 link carries packets of this size (RFC 8200 §5), so no smaller MTU may be reported. */
export const ipv6MtuMin = 1280;

export const ipv6PayloadLengthAt = 4;
export const ipv6NextHeaderAt = 6;
export const ipv6SourceAt = 8;
export const ipv6DestinationAt = 24;
export const ipv6AddressSize = 16;

export const ipv6NextHeaderIcmp = 58;

/** Whether `available` octets at `at` hold a whole IPv6 header. */
export function isIpv6(bytes: Uint8Array, at: number, available: number): boolean {
  return available >= ipv6HeaderSize && bytes[at]! >>> 4 === 6;
}

export function ipv6PayloadLength(bytes: Uint8Array, at: number): number {
  return readUint16(bytes, at + ipv6PayloadLengthAt);
}

/** Whether the address at `at` is `::` or a multicast group, neither of which may get an error. */
export function ipv6IsNobody(bytes: Uint8Array, at: number): boolean {
  if (bytes[at] === 0xff) return true;
  for (let i = 0; i < ipv6AddressSize; i++) if (bytes[at + i] !== 0) return false;
  return true;
}

/** Writes everything but the addresses; traffic class and flow label are zero. */
export function writeIpv6Header(
  bytes: Uint8Array,
  at: number,
  fields: { payloadLength: number; nextHeader: number; hopLimit: number },
): void {
  writeUint32(bytes, at, 0x60000000);
  writeUint16(bytes, at + ipv6PayloadLengthAt, fields.payloadLength);
  bytes[at + ipv6NextHeaderAt] = fields.nextHeader;
  bytes[at + 7] = fields.hopLimit;
}
