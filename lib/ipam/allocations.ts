import { WeaveError } from "../base/errors.ts";
import { formatIpv4, type Ipv4, type Ipv4Cidr } from "../base/ip.ts";
import type { AddressSet } from "./address-set.ts";
import type { Ledger } from "./ledger.ts";
import {
  type AddressRange,
  cidrRange,
  contains,
  formatRange,
  hostRange,
  overlaps,
} from "./range.ts";
import { type Allocation, anonymousIdent } from "./request.ts";
import type { RestingAddresses } from "./resting-addresses.ts";

/**
 * Allocating an address (ipam §11.1).
 *
 *   held already ──▶ that one        own space has one ──▶ the lowest
 *   outside the universe ──▶ error   otherwise ──▶ wait, and ask other peers
 *
 *   without the lease that it takes ──▶ wait for one
 *
 * @param usable the part of our ranges that a lease covers
 * @returns whether the request is decided; if not, more space of its subnet is needed
 */
export function tryAllocate(
  request: Allocation,
  ledger: Ledger,
  resting: RestingAddresses | undefined,
  usable = ledger.space.owned,
): boolean {
  const { ident, subnet, isContainer, pending } = request;
  const held = heldIn(ledger, ident, cidrRange(subnet));
  if (held !== undefined) {
    if (isContainer) ledger.markContainer(ident);
    pending.succeed(held);
    return true;
  }
  if (!overlaps(cidrRange(subnet), ledger.ring.universe)) {
    pending.fail(outOfBounds(cidrRange(subnet), ledger.ring.universe));
    return true;
  }
  const address = pick(ledger.space.free.intersection(usable), hostRange(subnet), resting);
  if (address === undefined) return false;
  const cidr = { address, prefix: subnet.prefix };
  const holder = ident === anonymousIdent ? formatIpv4(address) : ident;
  ledger.hold({ ident: holder, isContainer, cidr });
  pending.succeed(cidr, () => ledger.release(address));
  return true;
}

function heldIn(ledger: Ledger, ident: string, range: AddressRange): Ipv4Cidr | undefined {
  return ledger.held.of(ident).find(({ address }) => contains(range, address));
}

/** The lowest free address, one that has rested if there is a choice. */
function pick(
  free: AddressSet,
  hosts: AddressRange,
  resting: RestingAddresses | undefined,
): Ipv4 | undefined {
  if (resting === undefined) return free.firstIn(hosts);
  return free.firstIn(hosts, resting.addresses) ?? resting.longestIn(hosts, free);
}

function outOfBounds(subnet: AddressRange, universe: AddressRange): WeaveError {
  return new WeaveError(
    "IPAM_OUT_OF_RANGE",
    `range ${formatRange(subnet)} out of bounds: ${formatRange(universe)}`,
    { remedy: "choose a subnet inside the range given with --ipalloc-range" },
  );
}
