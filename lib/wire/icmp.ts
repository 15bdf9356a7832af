import { writeUint16, writeUint32 } from "../base/bytes.ts";
import { checksum, checksumAdd, checksumFinish } from "./checksum.ts";

/**
 * The two ICMP messages that tell a sender its packets are too big.
 *
 *    0               1               2               3
 *   +---------------+---------------+-------------------------------+
 *   |     type      |     code      |           checksum            |
 *   +---------------+---------------+-------------------------------+
 *   |  version 4: zero (16 bits), next-hop MTU (16 bits)  RFC 1191  |
 *   |  version 6: MTU (32 bits)                      RFC 4443 §3.2  |
 *   +---------------------------------------------------------------+
 *   |             the beginning of the packet at fault              |
 *   +---------------------------------------------------------------+
 *
 * The quoted packet is in place before the header is written, because the checksum covers it.
 */
export const icmpHeaderSize = 8;
export const icmpProtocol = 1;

const unreachable = 3;
const fragmentationNeeded = 4;
const packetTooBig = 2;

/** Below this, ICMPv6 types are errors; errors are never answered with errors. */
export const icmpv6InformationalMin = 128;

/** Destination unreachable, fragmentation needed. `length` counts header and quote. */
export function writeFragmentationNeeded(
  bytes: Uint8Array,
  at: number,
  { length, mtu }: { length: number; mtu: number },
): void {
  bytes[at] = unreachable;
  bytes[at + 1] = fragmentationNeeded;
  writeUint16(bytes, at + 2, 0);
  writeUint32(bytes, at + 4, mtu);
  writeUint16(bytes, at + 2, checksum(bytes, at, length));
}

/** ICMPv6 packet too big; its checksum also covers the addresses at `addressesAt` (32 octets). */
export function writePacketTooBig(
  bytes: Uint8Array,
  at: number,
  { length, mtu, addressesAt }: { length: number; mtu: number; addressesAt: number },
): void {
  const icmpv6 = 58;
  bytes[at] = packetTooBig;
  bytes[at + 1] = 0;
  writeUint16(bytes, at + 2, 0);
  writeUint32(bytes, at + 4, mtu);
  const pseudoHeader = checksumAdd(length + icmpv6, bytes, addressesAt, 32);
  writeUint16(bytes, at + 2, checksumFinish(checksumAdd(pseudoHeader, bytes, at, length)));
}
