import type { Endpoint } from "../base/endpoint.ts";
import { tryParseHostIp } from "../base/ip.ts";
import type { PeerName } from "../base/peer-name.ts";
import type { Log } from "../base/world.ts";
import { DataPlane } from "../host/dataplane/data-plane.ts";
import type { InheritedSockets } from "../host/dataplane/plane-sockets.ts";
import type { LaunchOptions } from "./launch-options.ts";

/** What a former process has left to this one. */
export interface Inheritance {
  /** It serves the sockets already. */
  readonly dataPlane: DataPlane;
  /** The interface on which it captures. */
  readonly captureInterface: number;
  /** Where neighbours listen. */
  readonly neighbours: readonly Endpoint[];
}

/** What a data plane has to be told at its start. */
export function openDataPlane(parts: {
  readonly name: PeerName;
  readonly options: LaunchOptions;
  readonly captureInterface: number;
  readonly datapathMtu: number | undefined;
  readonly log: Log;
  readonly inherited?: InheritedSockets;
}): DataPlane {
  const { name, options, ...rest } = parts;
  return new DataPlane({
    ...rest,
    local: name,
    host: tryParseHostIp(options.host) ?? 0,
    port: options.port,
    captureBufferBytes: options.captureBufferMegabytes << 20,
  });
}

/** That of a former process, on the interface as it is now. */
export function inheritedDataPlane(
  inheritance: Inheritance | undefined,
  captureInterface: number,
): DataPlane | undefined {
  if (inheritance === undefined) return undefined;
  const { dataPlane } = inheritance;
  if (captureInterface !== inheritance.captureInterface) dataPlane.recapture(captureInterface);
  return dataPlane;
}
