import { toHex } from "../../base/bytes.ts";
import type { IpAddress } from "../../base/ip.ts";
import type { Netlink } from "./conversation.ts";
import { attributesBehind, viewOf } from "./message.ts";

/**
 * Who is where on a link (rtnetlink(7), linux/neighbour.h): the kernel's neighbours, which ARP and
 * neighbour discovery find, and the forwarding database of bridges.
 *
 *   ndmsg (12)
 *   +-----------+-------+------------------+----------+----------+---------+
 *   | family: 1 | pad 3 | interface index: | state: 2 | flags: 1 | type: 1 |   then attributes
 *   +-----------+-------+------------------+----------+----------+---------+
 */
export interface Neighbour {
  readonly interfaceIndex: number;
  readonly address: IpAddress;
  /** Six octets as text; empty while it is not known. */
  readonly mac: string;
  readonly state: NeighbourState;
  /** How long the kernel has thought so, in milliseconds; 0 where it does not tell. */
  readonly ageMs: number;
}

export type NeighbourState =
  | "incomplete"
  | "reachable"
  | "stale"
  | "delay"
  | "probe"
  | "failed"
  | "noarp"
  | "permanent"
  | "none";

/** A MAC address as a bridge knows it. */
export interface ForwardingEntry {
  /** Of the port behind which it is, or of the bridge itself. */
  readonly interfaceIndex: number;
  readonly mac: string;
  /** Index of the bridge; missing for entries of devices that have a table of their own. */
  readonly bridge: number | undefined;
}

const ndmsgBytes = 12;
const RTM_GETNEIGH = 30;
const NDA = { destination: 1, linkAddress: 2, cacheInfo: 3, controller: 9 } as const;
/** `nda_cacheinfo`: since it was confirmed, used and updated, each 4 octets, in hundredths of a second. */
const cacheInfoUpdatedAt = 8;
const tickMs = 10;
const AF_INET = 2;
const AF_INET6 = 10;
const PF_BRIDGE = 7;
const states: ReadonlyMap<number, NeighbourState> = new Map([
  [0x01, "incomplete"],
  [0x02, "reachable"],
  [0x04, "stale"],
  [0x08, "delay"],
  [0x10, "probe"],
  [0x20, "failed"],
  [0x40, "noarp"],
  [0x80, "permanent"],
]);

/** Neighbours of one family on all interfaces. @throws SystemError */
export function listNeighbours(netlink: Netlink, family: 4 | 6 = 4): Neighbour[] {
  return dump(netlink, family === 4 ? AF_INET : AF_INET6).flatMap((body) => {
    const attributes = attributesBehind(ndmsgBytes, body);
    const address = attributes.ip(NDA.destination);
    if (address === undefined) return [];
    const view = viewOf(body);
    return [
      {
        interfaceIndex: view.getInt32(4, true),
        address,
        mac: macText(attributes.bytes(NDA.linkAddress)),
        state: states.get(view.getUint16(8, true)) ?? "none",
        ageMs: ageOf(attributes.bytes(NDA.cacheInfo)),
      },
    ];
  });
}

/** The forwarding databases of all bridges. @throws SystemError */
export function listForwarding(netlink: Netlink): ForwardingEntry[] {
  return dump(netlink, PF_BRIDGE).map((body) => {
    const attributes = attributesBehind(ndmsgBytes, body);
    return {
      interfaceIndex: viewOf(body).getInt32(4, true),
      mac: macText(attributes.bytes(NDA.linkAddress)),
      bridge: attributes.uint32(NDA.controller),
    };
  });
}

function dump(netlink: Netlink, family: number): Uint8Array[] {
  const header = new Uint8Array(ndmsgBytes);
  header[0] = family;
  return netlink.dump(RTM_GETNEIGH, header, "neighbours").map(({ body }) => body);
}

function ageOf(cacheInfo: Uint8Array | undefined): number {
  if (cacheInfo === undefined || cacheInfo.length < cacheInfoUpdatedAt + 4) return 0;
  return tickMs * viewOf(cacheInfo).getUint32(cacheInfoUpdatedAt, true);
}

function macText(bytes: Uint8Array | undefined): string {
  return toHex(bytes ?? new Uint8Array(0)).replace(/..(?!$)/g, "$&:");
}
