import { concatBytes } from "../../base/bytes.ts";
import type { Netlink } from "./conversation.ts";
import * as message from "./message.ts";
import { attributesBehind, type NetlinkMessage } from "./message.ts";

/**
 * Packets that rules of the packet filter tell of (linux/netfilter/nfnetlink_log.h). Who wants to
 * hear binds a group, in its network namespace the only one to do so; rules name the group.
 *
 *    0               1               2               3
 *   +---------------+---------------+-------------------------------+
 *   |    family     |   version 0   |       group, big-endian       |  attributes…
 *   +---------------+---------------+-------------------------------+
 */
export interface LoggedPacket {
  /** What the rule has said. */
  readonly prefix: string;
  /** Its first octets, from the header of IP on. */
  readonly packet: Uint8Array;
}

const subsystem = 4;
const PACKET = subsystem << 8;
const CONFIGURE = (subsystem << 8) | 1;
const fixedBytes = 4;
const CONFIG = { command: 1, mode: 2, timeout: 4 } as const;
const LOGGED = { payload: 9, prefix: 10 } as const;
const bind = 1;
const copyPacket = 2;
/** In hundredths of a second: so long the kernel waits for more before it hands any over. */
const collectedFor = 20;

/**
 * Has the kernel send packets of the group to this socket from now on.
 *
 * @param octetsMax of each packet
 * @throws SystemError `SYS_EBUSY` or `SYS_EPERM` when somebody else has the group
 */
export function bindLogGroup(netlink: Netlink, group: number, octetsMax: number): void {
  const about = `log group ${group}`;
  const head = Uint8Array.of(0, 0, group >>> 8, group);
  const configure = (...attributes: readonly Uint8Array[]): void => {
    netlink.request(CONFIGURE, 0, concatBytes(head, ...attributes), about);
  };
  configure(message.uint8(CONFIG.command, bind));
  configure(message.attribute(CONFIG.mode, modeBytes(octetsMax)));
  configure(message.uint32BigEndian(CONFIG.timeout, collectedFor));
}

/** `undefined` for a message that tells of no packet. @throws WeaveError `NETLINK_FORMAT` */
export function loggedPacket({ type, body }: NetlinkMessage): LoggedPacket | undefined {
  if (type !== PACKET) return undefined;
  const attributes = attributesBehind(fixedBytes, body);
  const packet = attributes.bytes(LOGGED.payload);
  if (packet === undefined) return undefined;
  return { prefix: attributes.text(LOGGED.prefix) ?? "", packet };
}

function modeBytes(octetsMax: number): Uint8Array {
  const bytes = new Uint8Array(6);
  message.viewOf(bytes).setUint32(0, octetsMax);
  bytes[4] = copyPacket;
  return bytes;
}
