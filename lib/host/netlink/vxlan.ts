import { concatBytes } from "../../base/bytes.ts";
import type { Netlink } from "./conversation.ts";
import { createLink, type LinkSettings } from "./link.ts";
import * as message from "./message.ts";
import { attributesBehind, flags } from "./message.ts";

/** VXLAN devices and where their frames go (linux/if_link.h, linux/neighbour.h). */

const IFLA_INFO = 18;
const INFO = { kind: 1, data: 2 } as const;
const VXLAN = {
  id: 1,
  local: 4,
  timeToLive: 5,
  learning: 7,
  port: 15,
  udpChecksum: 18,
  external: 25,
  dontFragment: 29,
} as const;
const dontFragmentSet = 1;
const timeToLive = 64;
const RTM_GETLINK = 18;
const ifinfoBytes = 16;

/** Frames tell themselves where they go, and are told where they came from, any VNI. */
export interface ExternalVxlan {
  readonly kind: "external";
  /** UDP port: here and there. */
  readonly port: number;
}

/** Sends from one address with one VNI, as {@link sendAllTo} says. */
export interface PlainVxlan {
  readonly kind: "plain";
  /** VNI of what it would receive; no two devices of a port have the same. */
  readonly id: number;
  readonly port: number;
  /** Source of what it sends: an IPv4 address as number. */
  readonly local: number;
}

/**
 * Frames travel as fastdp §2.1 has them, and nothing is learned from those that come in: a device
 * that learns drops frames without a source address, which heartbeats are.
 *
 * @throws SystemError `SYS_EADDRINUSE` for a port that is taken, `SYS_EEXIST` for a device like it
 */
export function createVxlan(
  netlink: Netlink,
  settings: LinkSettings & { readonly name: string },
  vxlan: ExternalVxlan | PlainVxlan,
): void {
  const own =
    vxlan.kind === "external"
      ? [message.uint8(VXLAN.external, 1)]
      : [
          message.uint32(VXLAN.id, vxlan.id),
          message.uint32BigEndian(VXLAN.local, vxlan.local),
          message.uint8(VXLAN.timeToLive, timeToLive),
          message.uint8(VXLAN.dontFragment, dontFragmentSet),
        ];
  const data = concatBytes(
    ...own,
    uint16BigEndian(VXLAN.port, vxlan.port),
    message.uint8(VXLAN.learning, 0),
    message.uint8(VXLAN.udpChecksum, 0),
  );
  createLink(netlink, "vxlan", settings, data);
}

/** What matters of a device that stands. */
export interface StandingVxlan {
  readonly external: boolean;
  readonly port: number;
  readonly learning: boolean;
}

/** `undefined` when the link is no VXLAN device. @throws SystemError `SYS_ENODEV` */
export function vxlanOf(netlink: Netlink, index: number): StandingVxlan | undefined {
  const header = new Uint8Array(ifinfoBytes);
  message.viewOf(header).setInt32(4, index, true);
  const [answer] = netlink.request(RTM_GETLINK, 0, header, `interface ${index}`);
  if (answer === undefined) return undefined;
  const info = attributesBehind(ifinfoBytes, answer.body).nested(IFLA_INFO);
  if (info.text(INFO.kind) !== "vxlan") return undefined;
  const data = info.nested(INFO.data);
  const port = data.bytes(VXLAN.port);
  return {
    external: data.uint8(VXLAN.external) === 1,
    port: port === undefined ? 0 : message.viewOf(port).getUint16(0),
    learning: data.uint8(VXLAN.learning) === 1,
  };
}

const RTM_NEWNEIGH = 28;
const NDA = { destination: 1, linkAddress: 2, port: 6, vni: 7 } as const;
const AF_BRIDGE = 7;
const NUD_PERMANENT = 0x80;
const NTF_SELF = 0x02;
const anybody = new Uint8Array(6);

/**
 * Every frame of a plain device goes to this host, whatever its destination.
 *
 *   ndmsg (12)
 *   +-----------+------------+----------+----------+----------+---------+
 *   | family: 1 | padding: 3 | index: 4 | state: 2 | flags: 1 | type: 1 |   then attributes
 *   +-----------+------------+----------+----------+----------+---------+
 *
 * @throws SystemError
 */
export function sendAllTo(
  netlink: Netlink,
  index: number,
  to: { readonly remote: number; readonly port: number; readonly vni: number },
): void {
  const header = new Uint8Array(12);
  const view = message.viewOf(header);
  view.setUint8(0, AF_BRIDGE);
  view.setInt32(4, index, true);
  view.setUint16(8, NUD_PERMANENT, true);
  view.setUint8(10, NTF_SELF);
  const body = concatBytes(
    header,
    message.attribute(NDA.linkAddress, anybody),
    message.uint32BigEndian(NDA.destination, to.remote),
    uint16BigEndian(NDA.port, to.port),
    message.uint32(NDA.vni, to.vni),
  );
  netlink.request(RTM_NEWNEIGH, flags.create | flags.append, body, `interface ${index}`);
}

function uint16BigEndian(type: number, value: number): Uint8Array {
  return message.attribute(type, Uint8Array.of(value >>> 8, value));
}
