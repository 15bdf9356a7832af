import type { Gauge } from "../api/router-control.ts";
import type { AllocatorStatus, ReclaimStatus } from "../ipam/allocator-status.ts";

/** Every reason for which a ring is refused. */
const conflictCodes = [
  "IPAM_RING_CONFLICT",
  "IPAM_RING_SEEDS",
  "IPAM_RING_RANGE",
  "IPAM_RING_INVALID",
];

/** What the original never showed of address allocation: ring size, conflicts, reclaim. */
export function ipamGauges({ ringEntries, conflicts, reclaim }: AllocatorStatus): Gauge[] {
  return [
    gauge("weave_ipam_ring_entries", "Entries of the ring, never withdrawn.", ringEntries),
    ...conflictCodes.map((code) => ({
      ...gauge(
        "weave_ipam_conflicts",
        "Peers whose address allocation disagrees with ours.",
        conflicts.filter((conflict) => conflict.code === code).length,
      ),
      labels: { code },
    })),
    ...(reclaim === undefined ? [] : reclaimGauges(reclaim)),
  ];
}

function reclaimGauges({ members, mayUse, leaseLeftMs = 0, taken }: ReclaimStatus): Gauge[] {
  return [
    gauge("weave_ipam_council_members", "Peers that decide on reclaim.", members.length),
    gauge(
      "weave_ipam_suspended",
      "Whether no addresses are given out for lack of a majority.",
      mayUse ? 0 : 1,
    ),
    gauge(
      "weave_ipam_lease_seconds",
      "Time until no addresses are given out without a majority.",
      Math.floor(leaseLeftMs / 1000),
    ),
    gauge("weave_ipam_reclaimed_peers", "Peers whose ranges were taken.", taken.length),
  ];
}

function gauge(name: string, help: string, value: number): Gauge {
  return { name, help, type: "gauge", value };
}
