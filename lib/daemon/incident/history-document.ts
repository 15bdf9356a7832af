import { formatIpv4 } from "../../base/ip.ts";
import { formatPeerName, type PeerName } from "../../base/peer-name.ts";
import type { BundleHistory } from "../../incident/bundle.ts";
import type { Recording } from "../../peer/flight-recorder.ts";

/** What was recorded, as a bundle has it. */
export function historyDocument(recording: Recording): BundleHistory {
  return {
    since: timeText(recording.sinceMs),
    gossip: recording.gossip.map((record) => ({
      ...stamp(record),
      ...{ direction: record.direction, neighbour: formatPeerName(record.neighbour) },
      ...{ kind: record.kind, channel: record.channel, origin: nameOrNull(record.origin) },
      bytes: record.bytes,
      ...(record.refusal !== undefined && { refusal: record.refusal }),
    })),
    topology: recording.topology.map((record) => ({
      ...stamp(record),
      ...{ change: record.change, peers: record.peers.map(formatPeerName) },
    })),
    owners: recording.owners.map((record) => ({
      ...stamp(record),
      ...{ first: formatIpv4(record.first), size: record.size },
      ...{ from: nameOrNull(record.from), to: nameOrNull(record.to) },
    })),
  };
}

function stamp({ sequence, atMs }: { readonly sequence: number; readonly atMs: number }) {
  return { sequence, at: timeText(atMs) };
}

function timeText(ms: number): string {
  return new Date(ms).toISOString();
}

function nameOrNull(peer: PeerName | undefined): string | null {
  return peer === undefined ? null : formatPeerName(peer);
}
