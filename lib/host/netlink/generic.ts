import { isSystemError } from "../../../ffi/system-error.ts";
import { concatBytes, emptyBytes } from "../../base/bytes.ts";
import type { Netlink } from "./conversation.ts";
import * as message from "./message.ts";
import { Attributes, attributesBehind, malformed } from "./message.ts";

/**
 * Generic netlink (linux/genetlink.h): one protocol for many families, each known by name and, as
 * long as the kernel runs, by a number, which is the message type.
 *
 *   genlmsghdr (4), behind the netlink header
 *   +-----------+-----------+------+
 *   | command 1 | version 1 | 0 0  |   then the family's fixed header, then attributes
 *   +-----------+-----------+------+
 */
export const genericHeaderBytes = 4;

export interface GenericFamily {
  readonly id: number;
  /** Multicast groups, by name. */
  readonly groups: ReadonlyMap<string, number>;
}

const controlFamily = 0x10;
const getFamily = 3;
const CONTROL = { id: 1, name: 2, groups: 7 } as const;
const GROUP = { name: 1, id: 2 } as const;

/** What follows the netlink header. */
export function genericBody(command: number, version: number, ...rest: Uint8Array[]): Uint8Array {
  return concatBytes(Uint8Array.of(command, version, 0, 0), ...rest);
}

/** Asks for a family. */
export function familyQuery(name: string): Uint8Array {
  return genericBody(getFamily, 0, message.text(CONTROL.name, name));
}

/**
 * The kernel loads the module of a family that it knows of, if it can. `undefined` when it has none
 * of this name.
 *
 * @throws SystemError
 */
export function findFamily(netlink: Netlink, name: string): GenericFamily | undefined {
  try {
    const about = `generic netlink family ${name}`;
    const [answer] = netlink.request(controlFamily, 0, familyQuery(name), about);
    return decodeFamily(answer?.body ?? emptyBytes);
  } catch (error) {
    if (isSystemError(error, "ENOENT")) return undefined;
    throw error;
  }
}

/** @throws WeaveError `NETLINK_FORMAT` */
export function decodeFamily(body: Uint8Array): GenericFamily {
  const attributes = attributesBehind(genericHeaderBytes, body);
  const id = attributes.uint16(CONTROL.id);
  if (id === undefined) throw malformed("generic netlink family", 0);
  const groups = new Map<string, number>();
  for (const payload of new Attributes(attributes.bytes(CONTROL.groups) ?? emptyBytes).values()) {
    const group = new Attributes(payload);
    groups.set(group.text(GROUP.name) ?? "", group.uint32(GROUP.id) ?? 0);
  }
  return { id, groups };
}
