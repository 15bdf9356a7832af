import type { PeerName } from "../base/peer-name.ts";
import type { AddressSet } from "./address-set.ts";
import { entrySize, type RingEntry, type RingState } from "./ring-entry.ts";

/**
 * The ring to go on with after others took ranges without us. Versions decide nothing here: those of
 * a peer that was cut off may have run ahead of the decree that took its ranges.
 *
 *   theirs   A──────────────────H────────────────     what a majority knows
 *   ours     A────B─────────────P──────F──────P──     B: given by us, or ours and known to others
 *   result   A────B─────────────H────────────────     what P gave away unseen is not kept
 *
 * Of ours remains what is `confirmed` to be our own, and what they believe is ours but we gave away.
 */
export function rebaseRing(
  ours: RingState,
  theirs: RingState,
  self: PeerName,
  confirmed: AddressSet,
): RingEntry[] {
  const entries = new Map(theirs.entries.map((entry) => [entry.token, entry]));
  for (const [index, entry] of ours.entries.entries()) {
    const theirOwner = ownerIn(theirs, entry.token);
    const isKnownOurs = entry.peer === self && confirmed.has(entry.token);
    if (!isKnownOurs && theirOwner !== self) continue;
    const their = entries.get(entry.token);
    if (their === undefined || their.version <= entry.version) entries.set(entry.token, entry);
    const next = ours.entries[index + 1]?.token ?? ours.universe.start;
    const owner = ownerIn(theirs, next);
    if (!entries.has(next) && owner !== undefined) {
      entries.set(next, { token: next, peer: owner, version: 0, free: 0 });
    }
  }
  const sorted = [...entries.values()].sort((a, b) => a.token - b.token);
  return sorted.map((entry, index) => {
    const size = entrySize(sorted, index, theirs.universe);
    return entry.free > size ? { ...entry, free: size } : entry;
  });
}

function ownerIn({ entries }: RingState, address: number): PeerName | undefined {
  let from = 0;
  let to = entries.length;
  while (from < to) {
    const middle = (from + to) >>> 1;
    if (entries[middle]!.token > address) to = middle;
    else from = middle + 1;
  }
  return (entries[from - 1] ?? entries.at(-1))?.peer;
}
