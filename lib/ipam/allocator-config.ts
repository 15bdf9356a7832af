import { WeaveError } from "../base/errors.ts";
import { formatIpv4Cidr, type Ipv4Cidr } from "../base/ip.ts";
import type { PeerName } from "../base/peer-name.ts";
import type { AddressNews } from "./address-news.ts";
import type { InitMode } from "./init-mode.ts";
import { type AddressRange, cidrRange, subnetSizeMin } from "./range.ts";
import type { Fence } from "./reclaim-lease.ts";

export interface AllocatorConfig {
  readonly self: PeerName;
  readonly nickname: string;
  /** The 64-bit number that this run of the peer announces in its handshakes. */
  readonly uid: bigint;
  /** The same on all peers of a cluster. */
  readonly universe: Ipv4Cidr;
  /** Where addresses come from when a request names no subnet. */
  readonly defaultSubnet: Ipv4Cidr;
  readonly init: InitMode;
  /**
   * `lowest-first`, the default, gives out the lowest free address. `rested` passes over addresses
   * freed within the last minute while there are others: neighbours may still know them as somebody
   * else's.
   */
  readonly reuse?: "lowest-first" | "rested";
  /** Silence after which the ranges of a peer may be taken, milliseconds; 0 or absent for never. */
  readonly reclaimAfterMs?: number;
  /** Whether a lease still holds; replaced only to show what happens without. */
  readonly fence?: Fence;
  /** Told who holds which addresses. */
  readonly news?: AddressNews;
  /** Told what time it was, by its clock, when a neighbour said what it knows; ms since 1970. */
  clockShown?(peer: PeerName, unixMs: number): void;
  /** Configured targets that are not ourselves, plus one; asked when an election starts. */
  quorumPeers(): number;
  /** Called when somebody's ranges may have become others. */
  onRingChanged?(): void;
}

/** What the allocator must know of the topology. */
export interface AllocatorPeers {
  /** Whether `peer` is in the topology; always true of ourselves. */
  isKnown(peer: PeerName): boolean;
  /** Whether a unicast to `peer` would find a way. */
  canReach(peer: PeerName): boolean;
  knownPeers(): Iterable<PeerName>;
  /** How many peers are in the topology, ourselves included, or have called us and not said their name. */
  inSight(): number;
  nickname(peer: PeerName): string | undefined;
}

/** An address found in use at start. */
export interface PreClaim {
  readonly ident: string;
  readonly isContainer: boolean;
  readonly cidr: Ipv4Cidr;
}

/** Ranges of one owner before and after a change, adjacent ones joined, for trackers. */
export interface OwnedRangesChange {
  readonly previous: readonly AddressRange[];
  readonly current: readonly AddressRange[];
  /** False for the ranges of a peer whose place we take. */
  readonly isLocal: boolean;
}

/** @throws WeaveError `IPAM_UNIVERSE` for a range that cannot be written in 32 bits */
export function universeOf({ universe }: Pick<AllocatorConfig, "universe">): AddressRange {
  const range = cidrRange(universe);
  if (range.end - range.start >= subnetSizeMin && range.end < 2 ** 32) return range;
  throw new WeaveError("IPAM_UNIVERSE", `invalid IPAM range ${formatIpv4Cidr(universe)}`, {
    remedy: "give a range of prefix length 1 to 30 that ends below 255.255.255.255",
  });
}
