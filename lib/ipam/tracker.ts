import { formatIpv4Cidr, type Ipv4Cidr } from "../base/ip.ts";
import { AddressSet } from "./address-set.ts";
import { type AddressRange, cidrCover } from "./range.ts";

/** Routes or set members that follow the ranges of a peer (ipam §14). */
export interface TrackerChange {
  readonly add: readonly Ipv4Cidr[];
  readonly remove: readonly Ipv4Cidr[];
}

/**
 * How the CIDR cover of a peer's ranges changed. Adjacent ranges are covered as one, so a split
 * that changed no owner changes nothing.
 */
export function trackerChange(
  previous: readonly AddressRange[],
  current: readonly AddressRange[],
): TrackerChange {
  const before = cover(previous);
  const after = cover(current);
  const missingIn = (those: readonly Ipv4Cidr[]): ((cidr: Ipv4Cidr) => boolean) => {
    const known = new Set(those.map(formatIpv4Cidr));
    return (cidr) => !known.has(formatIpv4Cidr(cidr));
  };
  return { add: after.filter(missingIn(before)), remove: before.filter(missingIn(after)) };
}

/** The fewest networks that have exactly the addresses of these ranges, lowest first. */
export function cover(ranges: readonly AddressRange[]): Ipv4Cidr[] {
  return AddressSet.of(ranges).ranges().flatMap(cidrCover);
}
