import { type Labels, measured, type Sample } from "../../api/metrics/measurement.ts";
import { ownerSeriesMax } from "../../api/metrics/metric-spec.ts";
import { formatPeerName, type PeerName } from "../../base/peer-name.ts";
import type { AllocatorStatus, RangeStatus, ReclaimStatus } from "../../ipam/allocator-status.ts";

/** Every reason for which a ring is refused. */
const conflictCodes = [
  "IPAM_RING_CONFLICT",
  "IPAM_RING_SEEDS",
  "IPAM_RING_RANGE",
  "IPAM_RING_INVALID",
];

export function ipamMeasurements(status: AllocatorStatus, self: PeerName): Sample[] {
  const { ranges = [], universeSize, conflicts, reclaim } = status;
  const lost = ranges.filter(({ isKnownPeer }) => !isKnownPeer);
  return [
    measured("weave_ips", status.activeAddresses, { state: "local-used" }),
    measured("weave_max_ips", universeSize),
    measured("weave_ipam_unreachable_count", new Set(lost.map(({ peer }) => peer)).size),
    measured("weave_ipam_unreachable_percentage", (100 * sizeOf(lost)) / universeSize),
    measured("weave_ipam_pending_allocates", status.pendingAllocations.length),
    measured("weave_ipam_pending_claims", status.pendingClaims.length),
    ...ownerMeasurements(ranges, self, status.activeAddresses),
    measured("weave_ipam_ring_entries", status.ringEntries),
    measured("weave_ipam_election_pending", status.election !== undefined),
    measured("weave_ipam_store_failing", status.storeError !== undefined),
    ...conflictCodes.map((code) =>
      measured("weave_ipam_conflicts", conflicts.filter((each) => each.code === code).length, {
        code,
      }),
    ),
    ...(reclaim === undefined ? [] : reclaimMeasurements(reclaim)),
  ];
}

/** We ourselves first, then the largest: the others are one. */
function ownerMeasurements(
  ranges: readonly RangeStatus[],
  self: PeerName,
  active: number,
): Sample[] {
  const owners = [...Map.groupBy(ranges, ({ peer }) => peer)]
    .map(([peer, owned]) => {
      const size = sizeOf(owned);
      const free = peer === self ? size - active : freeOf(owned);
      return { peer, nickname: owned[0]!.nickname, size, free };
    })
    .sort((a, b) => Number(b.peer === self) - Number(a.peer === self) || b.size - a.size);
  const rest = owners.slice(ownerSeriesMax);
  return [
    measured("weave_ipam_local_free_addresses", owners.find(isOf(self))?.free ?? 0),
    ...owners.slice(0, ownerSeriesMax).flatMap(({ peer, nickname, ...share }) => {
      return shareMeasurements(share, { peer: formatPeerName(peer), nickname });
    }),
    ...(rest.length === 0
      ? []
      : shareMeasurements(
          { size: sizeOf(rest), free: freeOf(rest) },
          { peer: "other", nickname: "" },
        )),
  ];
}

function isOf(self: PeerName): (owner: { readonly peer: PeerName }) => boolean {
  return ({ peer }) => peer === self;
}

interface Share {
  readonly size: number;
  readonly free: number;
}

function shareMeasurements({ size, free }: Share, labels: Labels): Sample[] {
  return [
    measured("weave_ipam_owned_addresses", size, labels),
    measured("weave_ipam_free_addresses", free, labels),
  ];
}

function sizeOf(ranges: readonly Pick<Share, "size">[]): number {
  return ranges.reduce((sum, { size }) => sum + size, 0);
}

function freeOf(ranges: readonly Pick<Share, "free">[]): number {
  return ranges.reduce((sum, { free }) => sum + free, 0);
}

function reclaimMeasurements({ members, mayUse, leaseLeftMs, taken }: ReclaimStatus): Sample[] {
  return [
    measured("weave_ipam_council_members", members.length),
    measured("weave_ipam_suspended", !mayUse),
    measured("weave_ipam_lease_seconds", Math.floor((leaseLeftMs ?? 0) / 1000)),
    measured("weave_ipam_reclaimed_peers", taken.length),
  ];
}
