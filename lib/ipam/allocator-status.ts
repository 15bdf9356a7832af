import type { Ipv4, Ipv4Cidr } from "../base/ip.ts";
import type { PeerName } from "../base/peer-name.ts";
import type { AllocatorConfig, AllocatorPeers } from "./allocator-config.ts";
import type { Conflict } from "./conflicts.ts";
import type { Ledger } from "./ledger.ts";
import type { Negotiation } from "./negotiation.ts";
import { type AddressRange, rangeSize } from "./range.ts";
import type { Council } from "./reclaim-council.ts";
import type { Taking } from "./reclaim-decree.ts";
import type { RequestQueue } from "./request-queue.ts";

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
  /** Peers that were asked for addresses and have not answered. */
  readonly awaitedPeers: readonly PeerName[];
  /** Peers whose rings disagree with ours. */
  readonly conflicts: readonly Conflict[];
  /** Automatic reclaim; absent as long as it was never on. */
  readonly reclaim: ReclaimStatus | undefined;
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

export interface ReclaimStatus {
  /** Silence after which ranges are taken, milliseconds; 0 while there is no council. */
  readonly afterMs: number;
  /** Decrees so far. */
  readonly epoch: number;
  /** Who decides; empty while there is no council. */
  readonly members: readonly PeerName[];
  /** Until our ranges may no longer be used; absent for a peer that needs no lease. */
  readonly leaseLeftMs: number | undefined;
  /** Whether addresses may be given out now. */
  readonly mayUse: boolean;
  /** The part of our ranges of which they may be; what we have just got follows within moments. */
  readonly usable: readonly AddressRange[];
  /** Whose ranges were taken lately, and the decree that said so. */
  readonly taken: readonly Taking[];
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
  /** Addresses of it that the owner has not given out, as far as it told. */
  readonly free: number;
}

interface StatusSource {
  readonly config: AllocatorConfig;
  readonly peers: AllocatorPeers;
  readonly ledger: Ledger;
  readonly negotiation: Negotiation;
  readonly requests: RequestQueue;
  readonly storeError: Error | undefined;
  nickname(peer: PeerName): string;
}

export function statusOf(source: StatusSource): AllocatorStatus {
  const { config, ledger, negotiation, requests } = source;
  const { isElector, knownNodes, quorum } = negotiation.election;
  return {
    universe: config.universe,
    universeSize: rangeSize(ledger.ring.universe),
    defaultSubnet: config.defaultSubnet,
    activeAddresses: ledger.space.allocatedSize,
    heldOutside: ledger.heldOutside,
    election: negotiation.election.awaiting ? { isElector, knownNodes, quorum } : undefined,
    ranges: rangesOf(source),
    ringEntries: ledger.ring.entries.length,
    pendingClaims: requests.claims.map(({ ident, cidr }) => ({ ident, cidr })),
    pendingAllocations: requests.allocations.map(({ ident, subnet }) => ({ ident, subnet })),
    pendingPrimes: requests.primes.length,
    awaitedPeers: negotiation.space.awaited,
    conflicts: negotiation.conflicts.list(),
    reclaim: reclaimOf(negotiation.council),
    storeError: source.storeError?.message,
  };
}

function reclaimOf(council: Council): ReclaimStatus | undefined {
  if (!council.isActive) return undefined;
  const { afterMs, epoch, roster, taken } = council.decree;
  return {
    afterMs,
    epoch,
    members: roster.map(({ peer }) => peer),
    leaseLeftMs: council.leaseLeftMs,
    mayUse: council.mayUse(),
    usable: council.usable().ranges(),
    taken,
  };
}

/** All ranges in the order of their tokens; one that wraps counts as two. */
function rangesOf({ ledger, peers, nickname }: StatusSource): RangeStatus[] | undefined {
  const { ring } = ledger;
  if (ring.isEmpty) return undefined;
  return ring.entries.flatMap(({ peer, version, free }, index) =>
    ring.entryRanges(index).map((range, part) => ({
      token: range.start,
      size: rangeSize(range),
      peer,
      nickname: nickname(peer),
      isKnownPeer: peer === ring.self || peers.isKnown(peer),
      version,
      // Of an entry that wraps nobody tells in which part they are.
      free: part === 0 ? free : 0,
    })),
  );
}
