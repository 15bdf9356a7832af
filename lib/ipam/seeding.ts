import { byPeerName, type PeerName } from "../base/peer-name.ts";
import { type AddressRange, rangeSize } from "./range.ts";
import type { RingEntry } from "./ring-entry.ts";

/** Names in the form in which peers compare them: ascending, each once. */
export function normalizeSeeds(peers: readonly PeerName[]): PeerName[] {
  return [...new Set(peers)].sort(byPeerName);
}

/**
 * The first ring (ipam §7.1): halves the peers and the addresses until one of either is left. Three
 * peers get 1/2, 1/4 and 1/4. More peers than addresses: the surplus gets nothing.
 *
 * `seeds` is normalised and not empty.
 */
export function seedEntries(universe: AddressRange, seeds: readonly PeerName[]): RingEntry[] {
  const [first] = seeds;
  if (first === undefined) return [];
  if (seeds.length === 1 || rangeSize(universe) === 1) {
    return [{ token: universe.start, peer: first, version: 0, free: rangeSize(universe) }];
  }
  const half = Math.floor(seeds.length / 2);
  const middle = universe.start + Math.ceil(rangeSize(universe) / 2);
  return [
    ...seedEntries({ start: universe.start, end: middle }, seeds.slice(0, half)),
    ...seedEntries({ start: middle, end: universe.end }, seeds.slice(half)),
  ];
}
