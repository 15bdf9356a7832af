import { formatPeerName } from "../../base/peer-name.ts";
import type { AllocatorStatus } from "../../ipam/allocator-status.ts";
import type { SpanAttributes } from "../../wire/otlp-trace.ts";

/** For what an address is waited for: a ring, the consent of most peers, or what peers have. */
export function waitAttributes(status: AllocatorStatus): SpanAttributes {
  const { election, reclaim, awaitedPeers, storeError } = status;
  if (storeError !== undefined) return { "weave.waiting.for": "disk" };
  if (election !== undefined) {
    return {
      "weave.waiting.for": "ring",
      "weave.election.known": election.knownNodes,
      "weave.election.quorum": election.quorum,
    };
  }
  if (reclaim?.mayUse === false) return { "weave.waiting.for": "lease" };
  return { "weave.waiting.for": "peers", "weave.peers": awaitedPeers.map(formatPeerName) };
}
