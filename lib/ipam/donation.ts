import type { AddressSet } from "./address-set.ts";
import { type AddressRange, largestAlignedBlock, rangeSize, subnetSizeMin } from "./range.ts";

/**
 * Which part of `request` to give away (ipam §11.2): the largest aligned block of any free stretch,
 * the highest of equals, and only its upper half when it is more than half of all there is.
 * `undefined` when nothing in `request` is free.
 */
export function chooseBlock(free: AddressSet, request: AddressRange): AddressRange | undefined {
  let best: AddressRange | undefined;
  for (const stretch of free.ranges(request)) {
    const block = largestAlignedBlock(stretch);
    if (best === undefined || rangeSize(block) >= rangeSize(best)) best = block;
  }
  if (best === undefined) return undefined;
  const size = rangeSize(best);
  const isMostOfIt = size > Math.floor(free.countIn(request) / 2);
  return isMostOfIt ? { start: best.start + Math.floor(size / 2), end: best.end } : best;
}

/**
 * Like {@link chooseBlock}, but never a block that is of no use to who asks. A request for a whole
 * subnet comes from an allocation, which cannot use the network and the broadcast address: handing
 * those over would leave the asker as poor as before and add tokens to the ring for ever.
 */
export function chooseDonation(free: AddressSet, request: AddressRange): AddressRange | undefined {
  const block = chooseBlock(free, request);
  if (block === undefined || !isSubnet(request) || rangeSize(block) > 1) return block;
  const hosts = { start: request.start + 1, end: request.end - 1 };
  const isHost = block.start >= hosts.start && block.end <= hosts.end;
  return isHost ? block : chooseBlock(free, hosts);
}

function isSubnet(range: AddressRange): boolean {
  const size = rangeSize(range);
  return size >= subnetSizeMin && Number.isInteger(Math.log2(size)) && range.start % size === 0;
}
