import { isSystemError } from "../../../ffi/system-error.ts";
import type { Netlink, NetlinkRequest } from "./conversation.ts";
import * as message from "./message.ts";
import { attributeNested, attributesBehind, eachAttribute, flags, viewOf } from "./message.ts";
import { DATA, VERDICT_CODE, verdictData } from "./nft-expression.ts";
import {
  commentData,
  LIST_ELEMENT,
  NFT,
  type NftTableId,
  nfgenBytes,
  nftBody,
  nftRequest,
  nftType,
} from "./nft-message.ts";

/**
 * Sets of an nf_tables table, and maps: what a rule finds out about a packet by a key made of its
 * fields. A set is declared with its table, and its elements change while the table stands.
 *
 *   fields of a packet, each padded to four octets ──▶ in it or not; mark; verdict
 */
export interface NftSet {
  readonly name: string;
  /** Fields of a key in their order. */
  readonly key: readonly NftKeyField[];
  /** What a map has for each key; other sets have nothing. */
  readonly data?: "mark" | "verdict";
  readonly elements: readonly NftElement[];
  /** How many elements it may have; the kernel finds things faster in a set that tells. At least 1. */
  readonly room?: number;
  readonly comment?: string;
}

export interface NftKeyField {
  /** How the `nft` program shows it: it knows types by numbers, and the kernel none. */
  readonly type: number;
  /** A multiple of four. */
  readonly bytes: number;
}

export const keyFields = {
  integer: (bytes: number): NftKeyField => ({ type: 4, bytes }),
  ipv4: { type: 7, bytes: 4 },
  ipv6: { type: 8, bytes: 16 },
  protocol: { type: 12, bytes: 4 },
  port: { type: 13, bytes: 4 },
} as const;

export interface NftElement {
  readonly key: Uint8Array;
  /** Of a map: {@link markData}, {@link jumpData} or {@link goToData}; to be removed, an element needs none. */
  readonly data?: Uint8Array;
}

const SET = {
  table: 1,
  name: 2,
  flags: 3,
  keyType: 4,
  keyBytes: 5,
  dataType: 6,
  dataBytes: 7,
  description: 9,
  id: 10,
  userData: 13,
} as const;
const DESCRIPTION = { size: 1 } as const;
const SET_ELEMENTS = { table: 1, set: 2, elements: 3 } as const;
const SET_ELEMENT = { key: 1, data: 2 } as const;
const setIsMap = 8;
const mapData = { mark: { type: 19, bytes: 4 }, verdict: { type: 0xffffff00, bytes: 16 } } as const;
/** Of a type in the number that stands for several. */
const typeBits = 6;
const commentKind = 7;
/** An attribute cannot be longer than 65535 octets. */
const listBytesMax = 60_000;

export function markData(mark: number): Uint8Array {
  return message.nested(SET_ELEMENT.data, message.uint32(DATA.value, mark));
}

/** Into that chain, and back where it is left. */
export function jumpData(chain: string): Uint8Array {
  return message.nested(SET_ELEMENT.data, verdictData(VERDICT_CODE.jump, chain));
}

/** Into that chain, which is left to where this one would be. */
export function goToData(chain: string): Uint8Array {
  return message.nested(SET_ELEMENT.data, verdictData(VERDICT_CODE.goto, chain));
}

/** Declares a set that is empty; `id` is its own among those of the transaction. */
export function declareSet(table: NftTableId, set: NftSet, id: number): NetlinkRequest {
  const data = set.data === undefined ? undefined : mapData[set.data];
  return nftRequest(
    NFT.newSet,
    flags.create,
    `nftables set ${table.name} ${set.name}`,
    table.family,
    message.text(SET.table, table.name),
    message.text(SET.name, set.name),
    message.uint32BigEndian(SET.flags, data === undefined ? 0 : setIsMap),
    message.uint32BigEndian(SET.keyType, typeOf(set.key)),
    message.uint32BigEndian(SET.keyBytes, bytesOf(set.key)),
    ...(data === undefined
      ? []
      : [
          message.uint32BigEndian(SET.dataType, data.type),
          message.uint32BigEndian(SET.dataBytes, data.bytes),
        ]),
    ...(set.room === undefined
      ? []
      : [message.nested(SET.description, message.uint32BigEndian(DESCRIPTION.size, set.room))]),
    message.uint32BigEndian(SET.id, id),
    ...(set.comment === undefined ? [] : [commentAttribute(set.comment)]),
  );
}

/** Adds elements to a set that stands or was declared. */
export function addElements(
  table: NftTableId,
  set: string,
  elements: readonly NftElement[],
): NetlinkRequest[] {
  return elementRequests(NFT.newSetElement, flags.create, table, set, elements);
}

/** Takes elements away that the set has. */
export function removeElements(
  table: NftTableId,
  set: string,
  elements: readonly NftElement[],
): NetlinkRequest[] {
  return elementRequests(NFT.deleteSetElement, 0, table, set, elements);
}

/** Takes all elements out of a set. */
export function flushSet(table: NftTableId, set: string): NetlinkRequest {
  const about = `elements of nftables set ${table.name} ${set}`;
  const which = [message.text(SET_ELEMENTS.table, table.name), message.text(SET_ELEMENTS.set, set)];
  return nftRequest(NFT.deleteSetElement, 0, about, table.family, ...which);
}

export function deleteSet(table: NftTableId, set: string): NetlinkRequest {
  const about = `nftables set ${table.name} ${set}`;
  const attributes = [message.text(SET.table, table.name), message.text(SET.name, set)];
  return nftRequest(NFT.deleteSet, 0, about, table.family, ...attributes);
}

/** How many elements a set has; `undefined` when there is no such set. @throws SystemError */
export function countElements(
  netlink: Netlink,
  table: NftTableId,
  set: string,
): number | undefined {
  const about = `elements of nftables set ${table.name} ${set}`;
  const which = [message.text(SET_ELEMENTS.table, table.name), message.text(SET_ELEMENTS.set, set)];
  let count = 0;
  try {
    const type = nftType(NFT.getSetElement);
    for (const { body } of netlink.dump(type, nftBody(table.family, ...which), about)) {
      const list = attributesBehind(nfgenBytes, body).bytes(SET_ELEMENTS.elements);
      if (list !== undefined) count += eachAttribute(list).reduce((sum) => sum + 1, 0);
    }
    return count;
  } catch (error) {
    if (isSystemError(error, "ENOENT")) return undefined;
    throw error;
  }
}

function elementRequests(
  kind: number,
  requestFlags: number,
  table: NftTableId,
  set: string,
  elements: readonly NftElement[],
): NetlinkRequest[] {
  return elementLists(elements).map((list) =>
    nftRequest(
      kind,
      requestFlags,
      `elements of nftables set ${table.name} ${set}`,
      table.family,
      message.text(SET_ELEMENTS.table, table.name),
      message.text(SET_ELEMENTS.set, set),
      message.nested(SET_ELEMENTS.elements, list),
    ),
  );
}

const attributeHead = 4;

/**
 * Elements one behind the other, in lists that fit an attribute. There may be very many, so each is
 * written where it belongs at once:
 *
 *   element ─ key ─ value ─ octets of the key
 *           └ data, if it has any
 */
function elementLists(elements: readonly NftElement[]): Uint8Array[] {
  const lists: Uint8Array[] = [];
  let from = 0;
  while (from < elements.length) {
    let [end, length] = [from, 0];
    while (end < elements.length && (end === from || length < listBytesMax)) {
      length += elementBytes(elements[end]!);
      end++;
    }
    const list = new Uint8Array(length);
    const view = viewOf(list);
    let at = 0;
    for (; from < end; from++) at = writeElement(list, view, at, elements[from]!);
    lists.push(list);
  }
  return lists;
}

function elementBytes({ key, data }: NftElement): number {
  return 3 * attributeHead + key.length + (data?.length ?? 0);
}

function writeElement(into: Uint8Array, view: DataView, at: number, element: NftElement): number {
  const { key, data } = element;
  const end = at + elementBytes(element);
  writeHead(view, at, end - at, LIST_ELEMENT | attributeNested);
  writeHead(view, at + 4, 2 * attributeHead + key.length, SET_ELEMENT.key | attributeNested);
  writeHead(view, at + 8, attributeHead + key.length, DATA.value);
  into.set(key, at + 12);
  if (data !== undefined) into.set(data, at + 12 + key.length);
  return end;
}

function writeHead(view: DataView, at: number, length: number, type: number): void {
  view.setUint16(at, length, true);
  view.setUint16(at + 2, type, true);
}

function typeOf(key: readonly NftKeyField[]): number {
  return key.reduce((several, { type }) => (several << typeBits) | type, 0);
}

function bytesOf(key: readonly NftKeyField[]): number {
  return key.reduce((sum, { bytes }) => sum + bytes, 0);
}

function commentAttribute(comment: string): Uint8Array {
  return message.attribute(SET.userData, commentData(commentKind, comment));
}
