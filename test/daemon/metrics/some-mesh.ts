import { formatPeerName, peerNameFromNumber } from "../../../lib/base/peer-name.ts";
import type { ConnectionStatus, MeshSummary } from "../../../lib/mesh/mesh-status.ts";

export const summary: MeshSummary = {
  ...{ encryption: false, trustedSubnets: 0, connectionLimit: 0 },
  ...{ connections: [], terminationCount: 0, gossip: [], refusals: [] },
  topology: { peers: 1, unreached: 0, links: 0, oneWay: 0 },
};

/** A connection to the peer of this number. */
export function established(n: number, more: Partial<ConnectionStatus> = {}): ConnectionStatus {
  const peer = { name: formatPeerName(peerNameFromNumber(n)), nickname: `host${n}` };
  return {
    ...{ address: `10.0.0.${n}:6783`, outbound: true, state: "established", info: "", peer },
    ...more,
  };
}
