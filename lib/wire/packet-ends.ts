import { readUint16 } from "../base/bytes.ts";
import { formatIp, ipFromBytes } from "../base/ip.ts";
import {
  ipv4DestinationAt,
  ipv4Flags,
  ipv4HeaderLength,
  ipv4HeaderMin,
  ipv4OffsetMax,
  ipv4ProtocolAt,
  ipv4SourceAt,
} from "./ipv4.ts";
import {
  ipv6AddressSize,
  ipv6DestinationAt,
  ipv6HeaderSize,
  ipv6NextHeaderAt,
  ipv6SourceAt,
} from "./ipv6.ts";

/** Who sends a packet of IP to whom, as far as its first octets tell. */
export interface PacketEnds {
  /** The number of what is in it: 6 is TCP. */
  readonly protocol: number;
  readonly source: string;
  readonly destination: string;
  /** Of protocols that begin with two ports, when they are there. */
  readonly ports?: { readonly source: number; readonly destination: number };
}

const protocolsWithPorts: readonly number[] = [6, 17, 132];
const ipv4AddressSize = 4;
/** RFC 8200 §4.1: hop by hop, routing, destination; their length counts units of 8 octets behind the first. */
const extensionHeaders: readonly number[] = [0, 43, 60];
const fragmentHeader = 44;
const fragmentHeaderSize = 8;
/** Each comes once, the destination's twice. */
const extensionsMax = 5;

/** `undefined` for octets that are no packet of IP, or too few to say. */
export function packetEnds(packet: Uint8Array): PacketEnds | undefined {
  switch (packet.length === 0 ? undefined : packet[0]! >>> 4) {
    case 4:
      return ipv4Ends(packet);
    case 6:
      return ipv6Ends(packet);
    default:
      return undefined;
  }
}

function ipv4Ends(packet: Uint8Array): PacketEnds | undefined {
  if (packet.length < ipv4HeaderMin) return undefined;
  const protocol = packet[ipv4ProtocolAt]!;
  const isLaterFragment = (ipv4Flags(packet, 0) & ipv4OffsetMax) !== 0;
  return {
    protocol,
    source: addressAt(packet, ipv4SourceAt, ipv4AddressSize),
    destination: addressAt(packet, ipv4DestinationAt, ipv4AddressSize),
    ...(!isLaterFragment && portsAt(packet, protocol, ipv4HeaderLength(packet, 0))),
  };
}

function ipv6Ends(packet: Uint8Array): PacketEnds | undefined {
  if (packet.length < ipv6HeaderSize) return undefined;
  const { protocol, at } = behindExtensions(packet);
  return {
    protocol,
    source: addressAt(packet, ipv6SourceAt, ipv6AddressSize),
    destination: addressAt(packet, ipv6DestinationAt, ipv6AddressSize),
    ...(at !== undefined && portsAt(packet, protocol, at)),
  };
}

/** What comes behind all extension headers, and where; without a place when it is not there. */
function behindExtensions(packet: Uint8Array): { protocol: number; at: number | undefined } {
  let protocol = packet[ipv6NextHeaderAt]!;
  let at = ipv6HeaderSize;
  for (let count = 0; count < extensionsMax; count++) {
    const isFragment = protocol === fragmentHeader;
    if (!isFragment && !extensionHeaders.includes(protocol)) break;
    if (at + fragmentHeaderSize > packet.length) return { protocol, at: undefined };
    const isLaterFragment = isFragment && readUint16(packet, at + 2) >>> 3 !== 0;
    protocol = packet[at]!;
    if (isLaterFragment) return { protocol, at: undefined };
    at += isFragment ? fragmentHeaderSize : (packet[at + 1]! + 1) * 8;
  }
  return { protocol, at };
}

function portsAt(packet: Uint8Array, protocol: number, at: number): Pick<PacketEnds, "ports"> {
  if (!protocolsWithPorts.includes(protocol) || at + 4 > packet.length) return {};
  return { ports: { source: readUint16(packet, at), destination: readUint16(packet, at + 2) } };
}

function addressAt(packet: Uint8Array, at: number, size: number): string {
  return formatIp(ipFromBytes(packet.subarray(at, at + size)));
}
