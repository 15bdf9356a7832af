import type { EventSink } from "../../base/network-event.ts";
import type { Log } from "../../base/world.ts";
import type { ControlPlane } from "../../peer/control-plane.ts";
import type { RouterPort } from "../router-port.ts";

/** The router of this process. */
export function localRouterPort(
  { mesh, ipam }: ControlPlane,
  log: Log,
  emit: EventSink,
): RouterPort {
  return {
    async reclaim(peerName) {
      const addresses = ipam?.allocator.takeover(peerName, { force: false }) ?? 0;
      if (addresses > 0) emit("range.takenOver", { peer: peerName, addresses });
    },
    async connect(addresses, options) {
      for (const error of mesh.connect(addresses, options)) log.warn(error.message);
    },
  };
}
