import { concatBytes } from "../../base/bytes.ts";
import type { Netlink } from "./conversation.ts";
import * as message from "./message.ts";

/** How a bridge treats one of its ports (linux/if_link.h, `IFLA_BRPORT_`). */
export interface BridgePortSettings {
  /** Nothing passes between two isolated ports. */
  readonly isolated?: boolean;
  /** Whether the bridge takes addresses that it sees at the port to be there. */
  readonly learning?: boolean;
  /** Whether frames for nobody in particular, or for nobody known, go out by it. */
  readonly flooding?: boolean;
}

const RTM_NEWLINK = 16;
const IFLA_INFO = 18;
const INFO = { portKind: 4, portData: 5 } as const;
const PORT = { learning: 8, unicastFlood: 9, multicastFlood: 27, broadcastFlood: 30, isolated: 33 };
const ifinfoBytes = 16;

/** @throws SystemError */
export function changeBridgePort(
  netlink: Netlink,
  index: number,
  settings: BridgePortSettings,
): void {
  const attributes = [
    ...switched(PORT.isolated, settings.isolated),
    ...switched(PORT.learning, settings.learning),
    ...switched(PORT.unicastFlood, settings.flooding),
    ...switched(PORT.multicastFlood, settings.flooding),
    ...switched(PORT.broadcastFlood, settings.flooding),
  ];
  const header = new Uint8Array(ifinfoBytes);
  message.viewOf(header).setInt32(4, index, true);
  const info = message.nested(
    IFLA_INFO,
    message.text(INFO.portKind, "bridge"),
    message.nested(INFO.portData, ...attributes),
  );
  netlink.request(RTM_NEWLINK, 0, concatBytes(header, info), `interface ${index}`);
}

function switched(type: number, value: boolean | undefined): Uint8Array[] {
  return value === undefined ? [] : [message.uint8(type, value ? 1 : 0)];
}
