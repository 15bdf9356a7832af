import ipaddr from "ipaddr.js";
import { WeaveError } from "./errors.ts";

/**
 * IP addresses as values. The only file that knows the address library.
 *
 * Two views: {@link IpAddress} carries its family and serves hosts, links and endpoints of either
 * family; {@link Ipv4} is the bare 32-bit number on which the allocator and the DNS table compute,
 * because that is what crosses the wire there.
 */
export type Ipv4 = number;

export type IpAddress =
  | { readonly family: 4; readonly value: Ipv4 }
  | { readonly family: 6; readonly value: bigint };

/** An address with the length of its network prefix in bits. */
export interface Cidr {
  readonly address: IpAddress;
  readonly prefix: number;
}

/** A {@link Cidr} of family 4 in numbers. */
export interface Ipv4Cidr {
  readonly address: Ipv4;
  readonly prefix: number;
}

export function formatIpv4(address: Ipv4): string {
  return `${address >>> 24}.${(address >>> 16) & 255}.${(address >>> 8) & 255}.${address & 255}`;
}

/** Four decimal octets and nothing else; `undefined` when `text` is anything different. */
export function tryParseIpv4(text: string): Ipv4 | undefined {
  const match = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})$/.exec(text);
  if (match === null) return undefined;
  let value = 0;
  for (const octet of match.slice(1)) {
    if (Number(octet) > 255 || (octet.length > 1 && octet.startsWith("0"))) return undefined;
    value = value * 256 + Number(octet);
  }
  return value;
}

/** @throws WeaveError `IP_FORMAT` */
export function parseIpv4(text: string): Ipv4 {
  const value = tryParseIpv4(text);
  if (value === undefined) throw new WeaveError("IP_FORMAT", `invalid IP Address: ${text}`);
  return value;
}

/** Either family, without zone and without prefix; `undefined` when `text` is no address. */
export function tryParseIp(text: string): IpAddress | undefined {
  const v4 = tryParseIpv4(text);
  if (v4 !== undefined) return { family: 4, value: v4 };
  if (!text.includes(":") || text.includes("%") || !ipaddr.IPv6.isValid(text)) return undefined;
  let value = 0n;
  for (const byte of ipaddr.IPv6.parse(text).toByteArray()) value = (value << 8n) | BigInt(byte);
  return { family: 6, value };
}

/** @throws WeaveError `IP_FORMAT` */
export function parseIp(text: string): IpAddress {
  const address = tryParseIp(text);
  if (address === undefined) throw new WeaveError("IP_FORMAT", `invalid IP Address: ${text}`);
  return address;
}

/** Canonical text (RFC 5952 for family 6). */
export function formatIp(address: IpAddress): string {
  if (address.family === 4) return formatIpv4(address.value);
  return ipaddr.fromByteArray(Array.from(ipBytes(address))).toString();
}

/**
 * An address to compare, to keep and to hand on: the number of an {@link Ipv4}, the canonical text of
 * an IPv6 one. Unlike an {@link IpAddress} it is a primitive value, equal by `===`, a key of a map,
 * and the same in every thread, process and document.
 */
export type HostIp = Ipv4 | string;

export type IpFamily = 4 | 6;

export function familyOf(ip: HostIp): IpFamily {
  return typeof ip === "number" ? 4 : 6;
}

export function formatHostIp(ip: HostIp): string {
  return typeof ip === "number" ? formatIpv4(ip) : ip;
}

/** Either family, as {@link tryParseIp}. */
export function tryParseHostIp(text: string): HostIp | undefined {
  const address = tryParseIp(text);
  if (address === undefined) return undefined;
  return address.family === 4 ? address.value : formatIp(address);
}

/** The address to calculate with. */
export function ipOf(ip: HostIp): IpAddress {
  return typeof ip === "number" ? { family: 4, value: ip } : parseIp(ip);
}

/** Network byte order: four or sixteen octets. */
export function ipBytes(address: IpAddress): Uint8Array {
  const size = address.family === 4 ? 4 : 16;
  const bytes = new Uint8Array(size);
  let rest = BigInt(address.value);
  for (let at = size - 1; at >= 0; at--) {
    bytes[at] = Number(rest & 255n);
    rest >>= 8n;
  }
  return bytes;
}

/** The inverse of {@link ipBytes}; `bytes` holds four or sixteen octets. */
export function ipFromBytes(bytes: Uint8Array): IpAddress {
  let value = 0n;
  for (const byte of bytes) value = (value << 8n) | BigInt(byte);
  return bytes.length === 4 ? { family: 4, value: Number(value) } : { family: 6, value };
}

export function equalIp(a: IpAddress, b: IpAddress): boolean {
  return a.family === b.family && a.value === b.value;
}

/** Bits of an address of this family: 32 or 128. */
export function ipBits(family: IpFamily): 32 | 128 {
  return family === 4 ? 32 : 128;
}

/** @throws WeaveError `CIDR_FORMAT` with the original's wording */
export function parseCidr(text: string): Cidr {
  const slash = text.indexOf("/");
  const address = slash < 0 ? undefined : tryParseIp(text.slice(0, slash));
  const prefix = /^\d{1,3}$/.test(text.slice(slash + 1)) ? Number(text.slice(slash + 1)) : -1;
  if (address === undefined || prefix < 0 || prefix > ipBits(address.family)) {
    throw new WeaveError("CIDR_FORMAT", `invalid CIDR address: ${text}`, {
      remedy: "write an address and a prefix length such as 10.32.0.0/12",
    });
  }
  return { address, prefix };
}

/** @throws WeaveError `CIDR_FORMAT`, or `CIDR_FAMILY` for an IPv6 prefix */
export function parseIpv4Cidr(text: string): Ipv4Cidr {
  const { address, prefix } = parseCidr(text);
  if (address.family !== 4) {
    throw new WeaveError("CIDR_FAMILY", `invalid Non-IPv4 address not supported: ${text}`);
  }
  return { address: address.value, prefix };
}

export function formatCidr(cidr: Cidr): string {
  return `${formatIp(cidr.address)}/${cidr.prefix}`;
}

export function formatIpv4Cidr(cidr: Ipv4Cidr): string {
  return `${formatIpv4(cidr.address)}/${cidr.prefix}`;
}

/** The network address of `cidr`: its host bits cleared. */
export function networkOf(cidr: Cidr): Cidr {
  const hostBits = BigInt(ipBits(cidr.address.family) - cidr.prefix);
  const cleared = (BigInt(cidr.address.value) >> hostBits) << hostBits;
  return cidr.address.family === 4
    ? { address: { family: 4, value: Number(cleared) }, prefix: cidr.prefix }
    : { address: { family: 6, value: cleared }, prefix: cidr.prefix };
}

/** Whether `address` lies in the network of `cidr`; addresses of another family never do. */
export function cidrContains(cidr: Cidr, address: IpAddress): boolean {
  if (cidr.address.family !== address.family) return false;
  const hostBits = BigInt(ipBits(address.family) - cidr.prefix);
  return BigInt(cidr.address.value) >> hostBits === BigInt(address.value) >> hostBits;
}

/** Whether two networks share addresses; networks of two families never do. */
export function cidrsOverlap(a: Cidr, b: Cidr): boolean {
  return cidrContains(a, b.address) || cidrContains(b, a.address);
}

export function cidrFromIpv4(cidr: Ipv4Cidr): Cidr {
  return { address: { family: 4, value: cidr.address }, prefix: cidr.prefix };
}
