import { isSystemError, SystemError } from "../../../ffi/system-error.ts";
import { concatBytes } from "../../base/bytes.ts";
import { type IpAddress, type IpFamily, ipBytes } from "../../base/ip.ts";
import type { Netlink } from "./conversation.ts";
import * as message from "./message.ts";
import { attributesBehind, flags } from "./message.ts";

/**
 * Sets of addresses that rules of iptables look up (linux/netfilter/ipset/ip_set.h). Every message
 * begins like one to nf_tables:
 *
 *    0               1               2               3
 *   +---------------+---------------+-------------------------------+
 *   |    family     |   version 0   |         0                     |  attributes…
 *   +---------------+---------------+-------------------------------+
 *
 *   a set       protocol, name, type, revision, family, [ maxelem ]
 *   elements    protocol, name, line, [ [ address, port, … ], [ … ], … ]
 *
 * Numbers of several octets are big-endian here, and each says so by bit 14 of its type.
 */
export type IpsetType = keyof typeof revisions;

/** The oldest form of each type that has all that is used here: any later kernel makes it. */
const revisions = {
  "hash:ip": 0,
  /** With SCTP. */
  "hash:ip,port": 1,
  /** With elements that are not in it. */
  "hash:net": 3,
} as const;

export interface Ipset {
  /** At most 31 characters. */
  readonly name: string;
  readonly type: IpsetType;
  readonly family: IpFamily;
  /**
   * How many elements it is going to have, if known. It may have more; but each time that it grows the
   * kernel waits some ten milliseconds, and its caller with it.
   */
  readonly expected?: number;
}

export interface IpsetElement {
  readonly address: IpAddress;
  /** Of a network, from 1: a set has none of length 0. */
  readonly prefix?: number;
  /** Whether addresses of this network are not in the set, though a larger one has them. */
  readonly isExcept?: boolean;
  /** By the number of the protocol. */
  readonly port?: { readonly protocol: number; readonly number: number };
}

/** A set as it is in the kernel, without its elements. */
export interface ListedIpset {
  readonly name: string;
  /** Any, also those that are not made here. */
  readonly type: string;
  readonly family: IpFamily;
  /** How many elements it has; `undefined` in kernels before Linux 4.10. */
  readonly size: number | undefined;
}

/** More than a cluster has addresses; the kernel's own limit, unless told another, is 65536. */
export const ipsetElementsMax = 1 << 20;

/** The fewest that a set can have; it gets more as it needs them, from 1024 unless told. */
const bucketsMin = 64;

const subsystem = 6;
const COMMAND = { protocol: 1, create: 2, destroy: 3, list: 7, add: 9, delete: 10 } as const;
/** Understood by all kernels since Linux 2.6.39. */
const protocolVersion = 6;
const ATTRIBUTE = {
  protocol: 1,
  name: 2,
  type: 3,
  revision: 4,
  family: 5,
  flags: 6,
  data: 7,
  elements: 8,
  line: 9,
} as const;
const ELEMENT = { address: 1, prefix: 3, port: 4, protocol: 7, flags: 8 } as const;
const SET = { buckets: 18, elementsMax: 19, size: 24 } as const;
const ADDRESS = { 4: 1, 6: 2 } as const;
const listHeaderOnly = 1 << 2;
const elementIsExcept = 1 << 2;
const bigEndian = 0x4000;
const headerBytes = 4;
const familyNumber = { 4: 2, 6: 10 } as const;

/** Elements of one message: an attribute has at most 65535 octets, and an element up to 60. */
const elementsPerMessageMax = 1000;

/** @throws SystemError `SYS_EEXIST` when there is one of that name */
export function createIpset(netlink: Netlink, { name, type, family, expected = 0 }: Ipset): void {
  request(netlink, COMMAND.create, flags.create | flags.exclusive, name, [
    message.text(ATTRIBUTE.type, type),
    message.uint8(ATTRIBUTE.revision, revisions[type]),
    message.uint8(ATTRIBUTE.family, familyNumber[family]),
    message.nested(
      ATTRIBUTE.data,
      // Each holds a few, so that with one for each element the set need not grow.
      uint32(SET.buckets, Math.max(bucketsMin, Math.min(expected, ipsetElementsMax))),
      uint32(SET.elementsMax, ipsetElementsMax),
    ),
  ]);
}

/**
 * One that is not there counts as destroyed. @throws SystemError `SYS_EBUSY` while rules refer to it,
 * or did some ms ago
 */
export function destroyIpset(netlink: Netlink, name: string): void {
  request(netlink, COMMAND.destroy, 0, name, []);
}

/** Elements that the set has already stay. @throws SystemError `SYS_ENOSPC` when it is full */
export function addToIpset(netlink: Netlink, name: string, elements: readonly IpsetElement[]) {
  change(netlink, COMMAND.add, name, elements);
}

/** Elements that the set has not are none of its. @throws SystemError */
export function removeFromIpset(netlink: Netlink, name: string, elements: readonly IpsetElement[]) {
  change(netlink, COMMAND.delete, name, elements);
}

/** All sets of this namespace, whoever made them; none in a kernel without. @throws SystemError */
export function listIpsets(netlink: Netlink): ListedIpset[] {
  if (!hasIpsets(netlink)) return [];
  const body = concatBytes(header(), protocol(), uint32(ATTRIBUTE.flags, listHeaderOnly));
  return netlink
    .dump(typeOf(COMMAND.list), body, "sets of addresses")
    .map(({ body: answer }): ListedIpset => {
      const set = attributesBehind(headerBytes, answer);
      return {
        name: set.text(ATTRIBUTE.name) ?? "",
        type: set.text(ATTRIBUTE.type) ?? "",
        family: set.uint8(ATTRIBUTE.family) === familyNumber[6] ? 6 : 4,
        size: set.nested(ATTRIBUTE.data).uint32BigEndian(SET.size),
      };
    });
}

/** Whether the kernel has such sets, or loads them when it is asked. @throws SystemError */
export function hasIpsets(netlink: Netlink): boolean {
  try {
    netlink.request(typeOf(COMMAND.protocol), 0, concatBytes(header(), protocol()), "sets");
    return true;
  } catch (error) {
    if (isSystemError(error, "EINVAL", "EOPNOTSUPP")) return false;
    throw error;
  }
}

function change(
  netlink: Netlink,
  command: number,
  name: string,
  elements: readonly IpsetElement[],
): void {
  for (let at = 0; at < elements.length; at += elementsPerMessageMax) {
    const some = elements.slice(at, at + elementsPerMessageMax);
    const list = some.map((element) => message.nested(ATTRIBUTE.data, encodeElement(element)));
    const line = uint32(ATTRIBUTE.line, 0);
    request(netlink, command, 0, name, [line, message.nested(ATTRIBUTE.elements, ...list)]);
  }
}

function encodeElement({ address, prefix, isExcept, port }: IpsetElement): Uint8Array {
  const bytes = message.attribute(ADDRESS[address.family] | bigEndian, ipBytes(address));
  return concatBytes(
    message.nested(ELEMENT.address, bytes),
    ...(prefix === undefined ? [] : [message.uint8(ELEMENT.prefix, prefix)]),
    ...(port === undefined
      ? []
      : [
          message.attribute(
            ELEMENT.port | bigEndian,
            Uint8Array.of(port.number >>> 8, port.number & 0xff),
          ),
          message.uint8(ELEMENT.protocol, port.protocol),
        ]),
    ...(isExcept === true ? [uint32(ELEMENT.flags, elementIsExcept)] : []),
  );
}

function request(
  netlink: Netlink,
  command: number,
  requestFlags: number,
  name: string,
  attributes: readonly Uint8Array[],
): void {
  const body = concatBytes(header(), protocol(), message.text(ATTRIBUTE.name, name), ...attributes);
  try {
    netlink.request(typeOf(command), requestFlags, body, `set ${name}`);
  } catch (error) {
    throw explained(error);
  }
}

/** The numbers that sets have for their own refusals, and what others call these. */
const refusals = new Map([
  [4098, { errno: 95, detail: "the kernel has no sets of this type" }],
  [4099, { errno: 28, detail: "there are too many sets" }],
  [4100, { errno: 16, detail: "rules refer to the set" }],
  [4352, { errno: 28, detail: `the set is full: it has ${ipsetElementsMax} elements` }],
]);

function explained(error: unknown): unknown {
  const refusal = isSystemError(error) ? refusals.get(error.errno) : undefined;
  if (!isSystemError(error) || refusal === undefined) return error;
  return new SystemError({ call: error.call, about: error.about, ...refusal });
}

function typeOf(command: number): number {
  return (subsystem << 8) | command;
}

function header(): Uint8Array {
  return Uint8Array.of(familyNumber[4], 0, 0, 0);
}

function protocol(): Uint8Array {
  return message.uint8(ATTRIBUTE.protocol, protocolVersion);
}

function uint32(type: number, value: number): Uint8Array {
  return message.uint32BigEndian(type | bigEndian, value);
}
