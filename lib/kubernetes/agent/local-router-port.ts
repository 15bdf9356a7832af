import type { Log } from "../../base/world.ts";
import type { ControlPlane } from "../../peer/control-plane.ts";
import type { RouterPort } from "../router-port.ts";

/** The router of this process. */
export function localRouterPort({ mesh, ipam }: ControlPlane, log: Log): RouterPort {
  return {
    async reclaim(peerName) {
      ipam?.allocator.takeover(peerName, { force: false });
    },
    async connect(addresses, options) {
      for (const error of mesh.connect(addresses, options)) log.warn(error.message);
    },
  };
}
