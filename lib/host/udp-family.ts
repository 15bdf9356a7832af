import { pinnedBytes } from "../../ffi/memory.ts";
import {
  AF_INET,
  AF_INET6,
  SOL_IP,
  SOL_IPV6,
  sockaddrIn6Bytes,
  sockaddrInBytes,
  writeSockaddrIn,
  writeSockaddrIn6,
} from "../../ffi/socket.ts";
import { familyOf, type HostIp, type IpFamily, parseIpv4 } from "../base/ip.ts";
import { Ipv6Texts } from "./ipv6-texts.ts";

/** What is different for UDP by IPv4 and by IPv6: the kernel's numbers and structures. */
export interface UdpFamily {
  readonly family: IpFamily;
  /** `AF_INET`, `AF_INET6`. */
  readonly domain: number;
  /** Of the socket options below. */
  readonly level: number;
  /** `IP_MTU_DISCOVER` and its twin: whether datagrams may be fragmented. */
  readonly discoverOption: number;
  /** `IP_MTU` and its twin: the path MTU of a connected socket. */
  readonly pathMtuOption: number;
  /** Octets of a socket address. */
  readonly nameBytes: number;
  /** The ancillary data that says from which of our addresses a datagram goes. */
  readonly sourceInfo: {
    readonly type: number;
    /** Octets of the structure. */
    readonly bytes: number;
    /** Where in it the address is. */
    readonly addressAt: number;
  };
  writeName(into: DataView, at: number, ip: HostIp, port: number): void;
  /** The address in the socket address at `at`. */
  ipOfName(names: DataView, at: number): HostIp;
  /** Writes an address alone; 0 for none in particular. */
  writeIp(into: DataView, at: number, ip: HostIp): void;
}

/** The port in a socket address of either family. */
export function portOfName(names: DataView, at: number): number {
  return names.getUint16(at + 2);
}

/** Room for a socket address of either family. */
export const nameBytesMax = Math.max(sockaddrInBytes, sockaddrIn6Bytes);

/** A socket address of this family. */
export function socketAddress(
  { nameBytes, writeName }: UdpFamily,
  ip: HostIp,
  port: number,
): Uint8Array<ArrayBuffer> {
  const bytes = pinnedBytes(nameBytes);
  writeName(new DataView(bytes.buffer), 0, ip, port);
  return bytes;
}

/**
 *   struct in_pktinfo (12)
 *   +------------+-----------------+------------+
 *   | ifindex: 4 | from address: 4 | address: 4 |
 *   +------------+-----------------+------------+
 */
export const udpByIpv4: UdpFamily = {
  family: 4,
  domain: AF_INET,
  level: SOL_IP,
  discoverOption: 10,
  pathMtuOption: 14,
  nameBytes: sockaddrInBytes,
  sourceInfo: { type: 8, bytes: 12, addressAt: 4 },
  writeName: (into, at, ip, port) => writeSockaddrIn(into, at, ipv4(ip), port),
  ipOfName: (names, at) => names.getUint32(at + 4),
  writeIp: (into, at, ip) => into.setUint32(at, ipv4(ip)),
};

function ipv4(ip: HostIp): number {
  return typeof ip === "number" ? ip : parseIpv4(ip);
}

const texts = new Ipv6Texts();
const unspecified = "::";

/**
 *   struct in6_pktinfo (20)
 *   +-------------------------------+------------+
 *   | from address: 16              | ifindex: 4 |
 *   +-------------------------------+------------+
 */
export const udpByIpv6: UdpFamily = {
  family: 6,
  domain: AF_INET6,
  level: SOL_IPV6,
  discoverOption: 23,
  pathMtuOption: 24,
  nameBytes: sockaddrIn6Bytes,
  sourceInfo: { type: 50, bytes: 20, addressAt: 0 },
  writeName: (into, at, ip, port) => writeSockaddrIn6(into, at, ipv6Octets(ip), port),
  ipOfName: (names, at) => texts.text(names, at + 8),
  writeIp(into, at, ip) {
    const octets = ipv6Octets(ip);
    for (let i = 0; i < octets.length; i++) into.setUint8(at + i, octets[i]!);
  },
};

function ipv6Octets(ip: HostIp): Uint8Array {
  return texts.octets(typeof ip === "string" ? ip : unspecified);
}

/** The family of an address. */
export function udpOf(ip: HostIp): UdpFamily {
  return familyOf(ip) === 6 ? udpByIpv6 : udpByIpv4;
}
