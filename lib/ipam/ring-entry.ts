import type { Ipv4 } from "../base/ip.ts";
import type { PeerName } from "../base/peer-name.ts";
import type { AddressRange } from "./range.ts";

/** Ownership of the addresses from `token` up to the next token of the ring. */
export interface RingEntry {
  readonly token: Ipv4;
  readonly peer: PeerName;
  /** 32 bits; the owner raises it with every change. */
  readonly version: number;
  /** Addresses that the owner has not handed out, network and broadcast addresses included. */
  readonly free: number;
}

/** A ring as it is stored and sent. Entries ascend by token once they are checked. */
export interface RingState {
  readonly universe: AddressRange;
  readonly entries: readonly RingEntry[];
  /** The peers that the first ring was divided among; empty when unknown. */
  readonly seeds: readonly PeerName[];
}

/** Versions are 32 bits on the wire; at the top they stay where they are. */
const versionMax = 2 ** 32 - 1;

export function raisedVersion(version: number, by = 1): number {
  return Math.min(version + by, versionMax);
}

/** Addresses of entry `index`; the last one wraps around to the first token. */
export function entrySize(
  entries: readonly RingEntry[],
  index: number,
  universe: AddressRange,
): number {
  const { token } = entries[index]!;
  const next = entries[index + 1]?.token;
  if (next !== undefined) return next - token;
  return universe.end - token + (entries[0]!.token - universe.start);
}

/** Ranges of `peer`, ascending, one per entry and not joined; a range that wraps counts as two. */
export function rangesOwned(
  entries: readonly RingEntry[],
  peer: PeerName,
  universe: AddressRange,
): AddressRange[] {
  return entries
    .flatMap((entry, index) => (entry.peer === peer ? entryRanges(entries, index, universe) : []))
    .sort((a, b) => a.start - b.start);
}

/** The ranges of entry `index`: one, or two when it wraps, the low one first. */
export function entryRanges(
  entries: readonly RingEntry[],
  index: number,
  universe: AddressRange,
): AddressRange[] {
  const { token } = entries[index]!;
  const high = { start: token, end: entries[index + 1]?.token ?? universe.end };
  const wraps = index === entries.length - 1 && entries[0]!.token > universe.start;
  return wraps ? [{ start: universe.start, end: entries[0]!.token }, high] : [high];
}
