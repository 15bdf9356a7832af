import { errorText } from "../../base/errors.ts";
import type { EventSink } from "../../base/network-event.ts";
import { formatPeerName } from "../../base/peer-name.ts";
import type { PlaneEvent } from "../../peer/control-plane.ts";

/** What a refused ring means for whoever has to mend it. */
const ringTroubles: ReadonlyMap<string, "ring.conflict" | "ring.split"> = new Map([
  ["IPAM_RING_CONFLICT", "ring.conflict"],
  ["IPAM_RING_SEEDS", "ring.split"],
  ["IPAM_RING_RANGE", "ring.split"],
]);

/** Tells of what happened in the mesh. */
export function tellMeshEvent(emit: EventSink, event: PlaneEvent): void {
  if (event.kind === "refused") {
    const { channel, origin, error } = event;
    const peer = formatPeerName(origin);
    const why = { code: error.code, reason: errorText(error) };
    emit("gossip.refused", { peer, channel, ...why });
    const ring = ringTroubles.get(error.code);
    if (ring !== undefined) emit(ring, { peer, ...why });
    return;
  }
  const peer = { peer: formatPeerName(event.peer), nickname: event.nickname };
  switch (event.kind) {
    case "disconnected":
      emit("link.lost", { ...peer, code: event.error.code, reason: errorText(event.error) });
      break;
    case "removed":
      emit("peer.gone", peer);
      break;
    case "appeared":
      emit("peer.appeared", peer);
      break;
    default:
      emit(`link.${event.kind}`, peer);
  }
}
