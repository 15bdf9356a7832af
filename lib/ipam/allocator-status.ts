import type { Ipv4, Ipv4Cidr } from "../base/ip.ts";
import type { PeerName } from "../base/peer-name.ts";
import type { Conflict } from "./conflicts.ts";
import type { Ledger } from "./ledger.ts";
import { rangeSize } from "./range.ts";

/** One consistent picture of an allocator (ipam §16). */
export interface AllocatorStatus {
  readonly universe: Ipv4Cidr;
  readonly universeSize: number;
  readonly defaultSubnet: Ipv4Cidr;
  /** Addresses allocated inside our own ranges. */
  readonly activeAddresses: number;
  /** Addresses held that are not in our ranges: claimed outside the universe, or lost. */
  readonly heldOutside: number;
  /** Present only while a ring is awaited. */
  readonly election: ElectionStatus | undefined;
  /** Absent without a ring. */
  readonly ranges: readonly RangeStatus[] | undefined;
  /** Tokens of the ring; they are never withdrawn, so this only grows. */
  readonly ringEntries: number;
  readonly pendingClaims: readonly { readonly ident: string; readonly cidr: Ipv4Cidr }[];
  readonly pendingAllocations: readonly { readonly ident: string; readonly subnet: Ipv4Cidr }[];
  readonly pendingPrimes: number;
  /** Peers whose rings disagree with ours. */
  readonly conflicts: readonly Conflict[];
  /** Why the last change could not be stored, while that lasts. */
  readonly storeError: string | undefined;
}

export interface ElectionStatus {
  readonly isElector: boolean;
  /** Nodes that have said anything; 0 for an observer. */
  readonly knownNodes: number;
  /** Votes needed; 0 for an observer. */
  readonly quorum: number;
}

export interface RangeStatus {
  readonly token: Ipv4;
  readonly size: number;
  readonly peer: PeerName;
  /** Empty when unknown. */
  readonly nickname: string;
  /** Whether the owner is in the topology; if not, nobody can have its addresses. */
  readonly isKnownPeer: boolean;
  readonly version: number;
}

/** All ranges in the order of their tokens; one that wraps counts as two. */
export function rangesOf(
  ledger: Ledger,
  describe: (peer: PeerName) => Pick<RangeStatus, "nickname" | "isKnownPeer">,
): RangeStatus[] | undefined {
  if (!ledger.hasRing) return undefined;
  return ledger.ring.entries.flatMap(({ peer, version }, index) =>
    ledger.ring.entryRanges(index).map((range) => ({
      token: range.start,
      size: rangeSize(range),
      peer,
      ...describe(peer),
      version,
    })),
  );
}
