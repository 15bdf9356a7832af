import { WeaveError } from "../base/errors.ts";
import { formatIpv4, formatIpv4Cidr, type Ipv4, type Ipv4Cidr, parseIpv4Cidr } from "../base/ip.ts";

/**
 * Arithmetic of address ranges (ipam §1.1).
 *
 *   start            end
 *     │■■■■■■■■■■■■■■│      end is exclusive and at most 2^32; an empty range has end = start
 */
export interface AddressRange {
  readonly start: Ipv4;
  readonly end: number;
}

/** Addresses in the smallest subnet that can be allocated from: network, two hosts, broadcast. */
export const subnetSizeMin = 4;

export function rangeSize(range: AddressRange): number {
  return range.end - range.start;
}

export function contains(range: AddressRange, address: Ipv4): boolean {
  return address >= range.start && address < range.end;
}

export function overlaps(a: AddressRange, b: AddressRange): boolean {
  return a.start < b.end && b.start < a.end;
}

export function equalRanges(a: AddressRange, b: AddressRange): boolean {
  return a.start === b.start && a.end === b.end;
}

/** Every address of the network of `cidr`, whatever its host bits say. */
export function cidrRange(cidr: Ipv4Cidr): AddressRange {
  const size = 2 ** (32 - cidr.prefix);
  const start = cidr.address - (cidr.address % size);
  return { start, end: start + size };
}

/** {@link cidrRange} without the network and the broadcast address. */
export function hostRange(cidr: Ipv4Cidr): AddressRange {
  const { start, end } = cidrRange(cidr);
  return { start: start + 1, end: Math.max(start + 1, end - 1) };
}

export function singleAddress(address: Ipv4): AddressRange {
  return { start: address, end: address + 1 };
}

/** A subnet that addresses can be allocated from. @throws WeaveError `IPAM_SUBNET` */
export function parseSubnet(text: string): Ipv4Cidr {
  const cidr = parseIpv4Cidr(text);
  // The original counts the addresses of a /0 in 32 bits and arrives at none.
  if (cidr.prefix === 0 || rangeSize(cidrRange(cidr)) < subnetSizeMin) {
    throw new WeaveError(
      "IPAM_SUBNET",
      `invalid subnet - smaller than minimum size ${subnetSizeMin}: ${text}`,
      { remedy: "give a subnet of prefix length 1 to 30" },
    );
  }
  if (cidrRange(cidr).start !== cidr.address) {
    throw new WeaveError(
      "IPAM_SUBNET",
      `invalid subnet - bits after network prefix are not all zero: ${text}`,
      { remedy: `did you mean ${formatIpv4(cidrRange(cidr).start)}/${cidr.prefix}?` },
    );
  }
  return cidr;
}

/** The largest block of a non-empty range whose size is a power of two and divides its start. */
export function largestAlignedBlock(range: AddressRange): AddressRange {
  const size = rangeSize(range);
  const block = 2 ** Math.floor(Math.log2(size));
  const offset = range.start % block;
  if (offset === 0) return { start: range.start, end: range.start + block };
  const upToBoundary = block - offset;
  if (upToBoundary <= size - block) {
    return { start: range.start + upToBoundary, end: range.start + upToBoundary + block };
  }
  const half = block / 2;
  const start = range.start + (offset <= half ? half - offset : upToBoundary);
  return { start, end: start + half };
}

/** The CIDRs that cover `range` exactly, lowest first. */
export function cidrCover(range: AddressRange): Ipv4Cidr[] {
  const cidrs: Ipv4Cidr[] = [];
  for (let at = range.start; at < range.end; ) {
    let size = 2 ** Math.floor(Math.log2(range.end - at));
    while (at % size !== 0) size /= 2;
    cidrs.push({ address: at, prefix: 32 - Math.log2(size) });
    at += size;
  }
  return cidrs;
}

/** `a/p` when the size is a power of two, wherever it starts; `first-last` otherwise. */
export function formatRange(range: AddressRange): string {
  const bits = Math.log2(rangeSize(range));
  return Number.isInteger(bits)
    ? formatIpv4Cidr({ address: range.start, prefix: 32 - bits })
    : formatSpan(range);
}

/** `first-last`, both inclusive. */
export function formatSpan(range: AddressRange): string {
  return `${formatIpv4(range.start)}-${formatIpv4(range.end - 1)}`;
}
