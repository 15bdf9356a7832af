import { type PeerName, parsePeerName } from "../base/peer-name.ts";
import type { LinkView } from "../links/link-view.ts";
import type { Mesh } from "../mesh/mesh.ts";
import type { ConnectionStatus } from "../mesh/mesh-status.ts";

/** What this peer says of its links to others. Attempts to make some are its own affair. */
export function ownLinks(connections: readonly ConnectionStatus[]): LinkView[] {
  return connections.flatMap(({ peer, state, attributes, roundTripMs, traffic, loss }) => {
    if (peer === undefined) return [];
    const { name: overlay = "", encrypted, mtu } = attributes ?? {};
    return {
      ...{ peer: parsePeerName(peer.name), isEstablished: state === "established" },
      ...{ overlay: String(overlay), isEncrypted: encrypted === true },
      mtu: typeof mtu === "number" ? mtu : undefined,
      ...{ roundTripMs, traffic, loss: loss?.recent },
    };
  });
}

/** Others to which gossip finds a way, but for neighbours that show by their features that they are originals. */
export function likelyTellers(mesh: Mesh, self: PeerName): PeerName[] {
  const originals = new Set(
    mesh
      .connections()
      .flatMap(({ peer, extensions }) =>
        peer !== undefined && extensions === undefined ? peer.name : [],
      )
      .map(parsePeerName),
  );
  return mesh
    .knownPeers()
    .filter((peer) => peer !== self && mesh.canReach(peer) && !originals.has(peer));
}
