import { errorText } from "../../base/errors.ts";
import type { EventSink } from "../../base/network-event.ts";
import { formatPeerName } from "../../base/peer-name.ts";
import type { PlaneEvent } from "../../peer/control-plane.ts";

/** Tells of what happened in the mesh. */
export function tellMeshEvent(emit: EventSink, event: PlaneEvent): void {
  if (event.kind === "refused") {
    const { channel, origin, error } = event;
    const peer = formatPeerName(origin);
    emit("gossip.refused", { peer, channel, code: error.code, reason: errorText(error) });
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
