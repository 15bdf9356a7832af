import { gauge, ownerSeriesMax } from "../metric-spec.ts";

const owner = {
  peer: "name of the owner; `other` for those without series of their own",
  nickname: "its host's name, empty where nobody knows",
} as const;

export const addressMetrics = {
  weave_ips: gauge("Number of IP addresses.", { labels: { state: "`local-used`" } }),
  weave_max_ips: gauge("Size of IP address space used by allocator."),
  weave_ipam_unreachable_count: gauge("Number of unreachable peers."),
  weave_ipam_unreachable_percentage: gauge(
    "Percentage of IP addresses owned  by unreachable peers.",
    { unit: "percent" },
  ),
  weave_ipam_pending_allocates: gauge("Number of pending allocates."),
  weave_ipam_pending_claims: gauge("Number of pending claims."),
  weave_ipam_owned_addresses: gauge("Addresses that a peer may give out.", {
    labels: owner,
    seriesMax: ownerSeriesMax + 1,
  }),
  weave_ipam_free_addresses: gauge("Those of them that it has not given out, as far as it told.", {
    labels: owner,
    seriesMax: ownerSeriesMax + 1,
  }),
  weave_ipam_local_free_addresses: gauge(
    "Addresses that this router can give out without asking others.",
  ),
  weave_ipam_ring_entries: gauge("Entries of the ring, never withdrawn."),
  weave_ipam_election_pending: gauge("Whether peers have yet to agree on the first ring.", {
    unit: "flag",
  }),
  weave_ipam_store_failing: gauge("Whether the last change could not be stored.", {
    unit: "flag",
  }),
  weave_ipam_conflicts: gauge("Peers whose address allocation disagrees with ours.", {
    labels: { code: "`IPAM_RING_CONFLICT`, `_SEEDS`, `_RANGE` or `_INVALID`" },
    seriesMax: 4,
  }),
  weave_ipam_council_members: gauge("Peers that decide on reclaim."),
  weave_ipam_suspended: gauge("Whether no addresses are given out for lack of a majority.", {
    unit: "flag",
  }),
  weave_ipam_lease_seconds: gauge("Time until no addresses are given out without a majority.", {
    unit: "seconds",
  }),
  weave_ipam_reclaimed_peers: gauge("Peers whose ranges were taken."),
} as const;
