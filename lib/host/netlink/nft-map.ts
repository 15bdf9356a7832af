import type { Netlink, NetlinkRequest } from "./conversation.ts";
import * as message from "./message.ts";
import { flags } from "./message.ts";
import { LIST_ELEMENT, NFT, type NftTableId, nftRequest, transact } from "./nft-message.ts";

/**
 * Maps of an nf_tables table: what a rule finds out about a packet by a key made of its fields. A
 * map is declared with its table, and its entries change while the table stands.
 *
 *   fields of a packet, each padded to four octets ──▶ mark
 */
export interface NftMap {
  readonly name: string;
  /** Of one key; each of its fields is padded to four octets. */
  readonly keyBytes: number;
  readonly entries: readonly NftMapEntry[];
}

export interface NftMapEntry {
  readonly key: Uint8Array;
  readonly mark: number;
}

/** A map of a table that stands. */
export interface NftMapId extends NftTableId {
  readonly map: string;
}

const SET = {
  table: 1,
  name: 2,
  flags: 3,
  keyType: 4,
  keyBytes: 5,
  dataType: 6,
  dataBytes: 7,
  id: 10,
} as const;
const SET_ELEMENTS = { table: 1, set: 2, elements: 3 } as const;
const SET_ELEMENT = { key: 1, data: 2 } as const;
const DATA_VALUE = 1;
const setIsMap = 8;
const markBytes = 4;
/** How the `nft` program shows them: it knows numbers by these, and the kernel none. */
const typeInteger = 4;
const typeMark = 19;

/** Adds entries to a map, or takes some away that it has. @throws SystemError */
export function changeMap(
  netlink: Netlink,
  map: NftMapId,
  { add = [], remove = [] }: { add?: readonly NftMapEntry[]; remove?: readonly NftMapEntry[] },
): void {
  transact(netlink, [
    ...(remove.length === 0 ? [] : [entriesRequest(NFT.deleteSetElement, map, remove)]),
    ...(add.length === 0 ? [] : [entriesRequest(NFT.newSetElement, map, add)]),
  ]);
}

/** Declares a map and fills it; `id` is its own among those of the transaction. */
export function mapRequests(table: NftTableId, map: NftMap, id: number): NetlinkRequest[] {
  const { name, keyBytes, entries } = map;
  const declaration = nftRequest(
    NFT.newSet,
    flags.create,
    `nftables map ${table.name} ${name}`,
    table.family,
    message.text(SET.table, table.name),
    message.text(SET.name, name),
    message.uint32BigEndian(SET.flags, setIsMap),
    message.uint32BigEndian(SET.keyType, typeInteger),
    message.uint32BigEndian(SET.keyBytes, keyBytes),
    message.uint32BigEndian(SET.dataType, typeMark),
    message.uint32BigEndian(SET.dataBytes, markBytes),
    message.uint32BigEndian(SET.id, id),
  );
  const filling = entriesRequest(NFT.newSetElement, { ...table, map: name }, entries);
  return entries.length === 0 ? [declaration] : [declaration, filling];
}

function entriesRequest(
  kind: number,
  { family, name, map }: NftMapId,
  entries: readonly NftMapEntry[],
): NetlinkRequest {
  const elements = entries.map(({ key, mark }) =>
    message.nested(
      LIST_ELEMENT,
      message.nested(SET_ELEMENT.key, message.attribute(DATA_VALUE, key)),
      message.nested(SET_ELEMENT.data, message.uint32(DATA_VALUE, mark)),
    ),
  );
  return nftRequest(
    kind,
    kind === NFT.newSetElement ? flags.create : 0,
    `nftables map ${name} ${map}`,
    family,
    message.text(SET_ELEMENTS.table, name),
    message.text(SET_ELEMENTS.set, map),
    message.nested(SET_ELEMENTS.elements, ...elements),
  );
}
