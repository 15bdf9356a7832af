import { type Cidr, type IpAddress, ipBits, networkOf } from "../../base/ip.ts";

/** Addresses of one family, both ends included. */
export interface AddressRange {
  readonly first: IpAddress;
  readonly last: IpAddress;
}

/**
 * What is left of a network without others, which may overlap, lie outside or cover it: the fewest
 * ranges, in order.
 *
 *   10.32.0.0/16 without 10.32.1.0/24 ──▶ 10.32.0.0 to 10.32.0.255, 10.32.2.0 to 10.32.255.255
 */
export function rangesWithout(block: Cidr, except: readonly Cidr[]): AddressRange[] {
  const { family } = block.address;
  const holes = except
    .filter(({ address }) => address.family === family)
    .map(boundsOf)
    .sort((a, b) => (a.first < b.first ? -1 : 1));
  const { first, last } = boundsOf(block);
  const ranges: AddressRange[] = [];
  let from = first;
  const keepUpTo = (end: bigint): void => {
    if (from <= end) ranges.push({ first: addressOf(family, from), last: addressOf(family, end) });
  };
  for (const hole of holes) {
    keepUpTo(hole.first - 1n < last ? hole.first - 1n : last);
    if (hole.last >= from) from = hole.last + 1n;
  }
  keepUpTo(last);
  return ranges;
}

function boundsOf(network: Cidr): { readonly first: bigint; readonly last: bigint } {
  const { address, prefix } = networkOf(network);
  const first = BigInt(address.value);
  return { first, last: first + (1n << BigInt(ipBits(address.family) - prefix)) - 1n };
}

function addressOf(family: IpAddress["family"], value: bigint): IpAddress {
  return family === 4 ? { family, value: Number(value) } : { family, value };
}
