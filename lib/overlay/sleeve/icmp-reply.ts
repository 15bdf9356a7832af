import { copyBytes, writeUint16 } from "../../base/bytes.ts";
import { ethernetHeaderSize } from "../../wire/ethernet.ts";
import {
  icmpHeaderSize,
  icmpProtocol,
  icmpv6InformationalMin,
  writeFragmentationNeeded,
  writePacketTooBig,
} from "../../wire/icmp.ts";
import {
  ipv4DestinationAt,
  ipv4HeaderLength,
  ipv4HeaderMin,
  ipv4ProtocolAt,
  ipv4Seal,
  ipv4SourceAt,
  ipv4TosAt,
  ipv4TotalLengthAt,
  ipv4TtlAt,
} from "../../wire/ipv4.ts";
import {
  ipv6AddressSize,
  ipv6DestinationAt,
  ipv6HeaderSize,
  ipv6IsNobody,
  ipv6MtuMin,
  ipv6NextHeaderAt,
  ipv6NextHeaderIcmp,
  ipv6SourceAt,
  writeIpv6Header,
} from "../../wire/ipv6.ts";
import type { Frame } from "./datagram.ts";

/**
 * The frame that tells a container its packet is too big for the overlay (sleeve §9.1).
 *
 *   offending   [ D | S | type ][ IP  S → D ][ payload ........ ]
 *   reply       [ S | D | type ][ IP  D → S ][ ICMP ][ beginning of the offending packet ]
 *
 * It comes from the address the packet was for, because the overlay has none of its own.
 */
export const icmpReplyMax = ethernetHeaderSize + ipv6MtuMin;

const ttl = 64;
const payloadQuoted = 8;

/** Fragmentation needed (RFC 1191). Returns the length of the frame in `into`. */
export function fragmentationNeeded(frame: Frame, mtu: number, into: Uint8Array): number {
  const { bytes, at } = frame;
  const packetAt = at + ethernetHeaderSize;
  const quoted = Math.min(
    ipv4HeaderLength(bytes, packetAt) + payloadQuoted,
    frame.length - ethernetHeaderSize,
  );
  const ip = ethernetHeaderSize;
  const icmp = ip + ipv4HeaderMin;
  swapMacs(frame, into);
  into.fill(0, ip, icmp);
  into[ip] = 0x45;
  into[ip + ipv4TosAt] = bytes[packetAt + ipv4TosAt]!;
  writeUint16(into, ip + ipv4TotalLengthAt, ipv4HeaderMin + icmpHeaderSize + quoted);
  into[ip + ipv4TtlAt] = ttl;
  into[ip + ipv4ProtocolAt] = icmpProtocol;
  copyBytes(into, ip + ipv4SourceAt, bytes, packetAt + ipv4DestinationAt, 4);
  copyBytes(into, ip + ipv4DestinationAt, bytes, packetAt + ipv4SourceAt, 4);
  ipv4Seal(into, ip);
  copyBytes(into, icmp + icmpHeaderSize, bytes, packetAt, quoted);
  writeFragmentationNeeded(into, icmp, { length: icmpHeaderSize + quoted, mtu });
  return icmp + icmpHeaderSize + quoted;
}

/**
 * Packet too big (RFC 4443 §3.2) with an MTU of at least 1280. Returns the length of the frame in
 * `into`, or 0 when no error may be sent: about an error, or to nobody in particular.
 */
export function packetTooBig(frame: Frame, mtu: number, into: Uint8Array): number {
  const { bytes, at } = frame;
  const packetAt = at + ethernetHeaderSize;
  if (ipv6IsNobody(bytes, packetAt + ipv6SourceAt)) return 0;
  if (
    bytes[packetAt + ipv6NextHeaderAt] === ipv6NextHeaderIcmp &&
    (bytes[packetAt + ipv6HeaderSize] ?? 0) < icmpv6InformationalMin
  ) {
    return 0;
  }
  const quoteMax = ipv6MtuMin - ipv6HeaderSize - icmpHeaderSize;
  const quoted = Math.min(quoteMax, frame.length - ethernetHeaderSize);
  const ip = ethernetHeaderSize;
  const icmp = ip + ipv6HeaderSize;
  const length = icmpHeaderSize + quoted;
  swapMacs(frame, into);
  writeIpv6Header(into, ip, {
    payloadLength: length,
    nextHeader: ipv6NextHeaderIcmp,
    hopLimit: ttl,
  });
  copyBytes(into, ip + ipv6SourceAt, bytes, packetAt + ipv6DestinationAt, ipv6AddressSize);
  copyBytes(into, ip + ipv6DestinationAt, bytes, packetAt + ipv6SourceAt, ipv6AddressSize);
  copyBytes(into, icmp + icmpHeaderSize, bytes, packetAt, quoted);
  writePacketTooBig(into, icmp, {
    length,
    mtu: Math.max(mtu, ipv6MtuMin),
    addressesAt: ip + ipv6SourceAt,
  });
  return icmp + length;
}

function swapMacs(frame: Frame, into: Uint8Array): void {
  copyBytes(into, 0, frame.bytes, frame.at + 6, 6);
  copyBytes(into, 6, frame.bytes, frame.at, 6);
  copyBytes(into, 12, frame.bytes, frame.at + 12, 2);
}
