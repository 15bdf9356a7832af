import { isSystemError } from "../../../ffi/system-error.ts";
import { concatBytes, utf8 } from "../../base/bytes.ts";
import type { Netlink, NetlinkRequest } from "./conversation.ts";
import * as message from "./message.ts";
import { attributesBehind, flags } from "./message.ts";

/**
 * Tables of nf_tables (linux/netfilter/nf_tables.h), declared whole and put in place in one
 * transaction: a packet sees the old rules or the new ones, never a mixture.
 *
 *   batch begin ─ add table ─ chains… ─ rules… ─ batch end                       where there is none
 *   batch begin ─ delete table ─ add table ─ chains… ─ rules… ─ batch end        where there is one
 *
 * The kernel waits some milliseconds before it forgets what was deleted, and its caller with it.
 */
export type NftFamily = "ip" | "ip6" | "inet";

export interface NftTable {
  readonly family: NftFamily;
  readonly name: string;
  readonly maps?: readonly NftMap[];
  readonly chains: readonly NftChain[];
}

/** From keys of equal length to packet marks. */
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

export interface NftChain {
  readonly name: string;
  /** Where packets enter the chain; without it only jumps lead there. */
  readonly hook?: {
    readonly type: "filter" | "nat";
    readonly at: "prerouting" | "input" | "forward" | "output" | "postrouting";
    /** Lower runs earlier: 0 is `filter`, 100 `srcnat`. */
    readonly priority: number;
  };
  readonly rules: readonly NftRule[];
}

export interface NftRule {
  /** Encoded expressions, see nft-expression.ts; a packet must pass each to reach the next. */
  readonly expressions: readonly Uint8Array[];
  readonly comment?: string;
}

const subsystem = 10;
const NFT = {
  newTable: 0,
  getTable: 1,
  deleteTable: 2,
  newChain: 3,
  newRule: 6,
  getRule: 7,
  newSet: 9,
  newSetElement: 12,
  deleteSetElement: 14,
  getGeneration: 16,
} as const;
const GENERATION_ID = 1;
const nfgenBytes = 4;
const NFNL_BATCH_BEGIN = 0x10;
const NFNL_BATCH_END = 0x11;
const familyNumber = { ip: 2, ip6: 10, inet: 1 } as const;
const hookNumber = { prerouting: 0, input: 1, forward: 2, output: 3, postrouting: 4 } as const;
const TABLE_NAME = 1;
const CHAIN = { table: 1, name: 3, hook: 4, policy: 5, type: 7 } as const;
const HOOK = { number: 1, priority: 2 } as const;
const RULE = { table: 1, chain: 2, handle: 3, expressions: 4, userData: 7 } as const;
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
const policyAccept = 1;
const LIST_ELEMENT = 1;

/** Puts `table` in the place of whatever table of this name there was. @throws SystemError */
export function replaceTable(netlink: Netlink, table: NftTable): void {
  const content = [
    ...(table.maps ?? []).flatMap((map, index) => mapRequests(table, map, index + 1)),
    ...table.chains.map((chain) => chainRequest(table, chain)),
    ...table.chains.flatMap((chain) => chain.rules.map((rule) => ruleRequest(table, chain, rule))),
  ];
  const create = tableRequest(NFT.newTable, flags.create | flags.exclusive, table);
  try {
    transact(netlink, [create, ...content]);
  } catch (error) {
    if (!isSystemError(error, "EEXIST")) throw error;
    transact(netlink, [tableRequest(NFT.deleteTable, 0, table), create, ...content]);
  }
}

/** A map of a table that stands. */
export interface NftMapId extends Pick<NftTable, "family" | "name"> {
  readonly map: string;
}

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

/** False when there was none, or the kernel has no such tables. @throws SystemError */
export function deleteTable(netlink: Netlink, table: Pick<NftTable, "family" | "name">): boolean {
  try {
    transact(netlink, [tableRequest(NFT.deleteTable, 0, table)]);
    return true;
  } catch (error) {
    if (isSystemError(error, "ENOENT", "EOPNOTSUPP")) return false;
    throw error;
  }
}

/** Names of all tables of a family. @throws SystemError */
export function listTables(netlink: Netlink, family: NftFamily): string[] {
  return netlink
    .dump((subsystem << 8) | NFT.getTable, nfgen(familyNumber[family], 0), "nftables tables")
    .map(({ body }) => attributesBehind(nfgenBytes, body).text(TABLE_NAME) ?? "");
}

/** One rule of a table as the kernel numbers it. */
export interface ListedRule {
  readonly chain: string;
  /** Never given to another rule while the table exists. */
  readonly handle: bigint;
}

/** The rules of a table in the order of their chains; none when it does not exist. @throws SystemError */
export function listRules(
  netlink: Netlink,
  table: Pick<NftTable, "family" | "name">,
): ListedRule[] {
  const body = concatBytes(
    nfgen(familyNumber[table.family], 0),
    message.text(RULE.table, table.name),
  );
  const found = netlink.dump((subsystem << 8) | NFT.getRule, body, "nftables rules");
  // An old kernel gives those of all tables.
  return found.flatMap(({ body: answer }) => {
    const rule = attributesBehind(nfgenBytes, answer);
    if (rule.text(RULE.table) !== table.name) return [];
    const handle = rule.uint64BigEndian(RULE.handle);
    if (handle === undefined) throw message.malformed("nftables rule", 0);
    return [{ chain: rule.text(RULE.chain) ?? "", handle }];
  });
}

/**
 * A number that is another one after every change of any table in this namespace, whoever made it.
 *
 * @throws SystemError
 */
export function rulesGeneration(netlink: Netlink): number {
  const type = (subsystem << 8) | NFT.getGeneration;
  const [answer] = netlink.request(type, 0, nfgen(0, 0), "nftables generation");
  const generation =
    answer && attributesBehind(nfgenBytes, answer.body).uint32BigEndian(GENERATION_ID);
  if (generation === undefined) throw message.malformed("nftables generation", 0);
  return generation;
}

function transact(netlink: Netlink, requests: readonly NetlinkRequest[]): void {
  const edge = { flags: 0, body: nfgen(0, subsystem), about: "nftables transaction" };
  netlink.transaction({ ...edge, type: NFNL_BATCH_BEGIN }, requests, {
    ...edge,
    type: NFNL_BATCH_END,
  });
}

function tableRequest(
  kind: number,
  requestFlags: number,
  table: Pick<NftTable, "family" | "name">,
): NetlinkRequest {
  return {
    type: (subsystem << 8) | kind,
    flags: requestFlags,
    body: concatBytes(nfgen(familyNumber[table.family], 0), message.text(TABLE_NAME, table.name)),
    about: `nftables table ${table.family} ${table.name}`,
  };
}

function chainRequest(table: NftTable, chain: NftChain): NetlinkRequest {
  const hook =
    chain.hook === undefined
      ? []
      : [
          message.nested(
            CHAIN.hook,
            message.uint32BigEndian(HOOK.number, hookNumber[chain.hook.at]),
            message.uint32BigEndian(HOOK.priority, chain.hook.priority),
          ),
          message.uint32BigEndian(CHAIN.policy, policyAccept),
          message.text(CHAIN.type, chain.hook.type),
        ];
  return {
    type: (subsystem << 8) | NFT.newChain,
    flags: flags.create,
    body: concatBytes(
      nfgen(familyNumber[table.family], 0),
      message.text(CHAIN.table, table.name),
      message.text(CHAIN.name, chain.name),
      ...hook,
    ),
    about: `nftables chain ${table.name} ${chain.name}`,
  };
}

function mapRequests(table: NftTable, map: NftMap, id: number): NetlinkRequest[] {
  const { name, keyBytes, entries } = map;
  const declaration: NetlinkRequest = {
    type: (subsystem << 8) | NFT.newSet,
    flags: flags.create,
    body: concatBytes(
      nfgen(familyNumber[table.family], 0),
      message.text(SET.table, table.name),
      message.text(SET.name, name),
      message.uint32BigEndian(SET.flags, setIsMap),
      message.uint32BigEndian(SET.keyType, typeInteger),
      message.uint32BigEndian(SET.keyBytes, keyBytes),
      message.uint32BigEndian(SET.dataType, typeMark),
      message.uint32BigEndian(SET.dataBytes, markBytes),
      message.uint32BigEndian(SET.id, id),
    ),
    about: `nftables map ${table.name} ${name}`,
  };
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
  return {
    type: (subsystem << 8) | kind,
    flags: kind === NFT.newSetElement ? flags.create : 0,
    body: concatBytes(
      nfgen(familyNumber[family], 0),
      message.text(SET_ELEMENTS.table, name),
      message.text(SET_ELEMENTS.set, map),
      message.nested(SET_ELEMENTS.elements, ...elements),
    ),
    about: `nftables map ${name} ${map}`,
  };
}

function ruleRequest(table: NftTable, chain: NftChain, rule: NftRule): NetlinkRequest {
  const elements = rule.expressions.map((bytes) => message.nested(LIST_ELEMENT, bytes));
  return {
    type: (subsystem << 8) | NFT.newRule,
    flags: flags.create | flags.append,
    body: concatBytes(
      nfgen(familyNumber[table.family], 0),
      message.text(RULE.table, table.name),
      message.text(RULE.chain, chain.name),
      message.nested(RULE.expressions, ...elements),
      ...(rule.comment === undefined ? [] : [commentData(rule.comment)]),
    ),
    about: `nftables rule in ${table.name} ${chain.name}`,
  };
}

/** How the `nft` program stores a comment: kind 0, length, text with a final zero. */
function commentData(comment: string): Uint8Array {
  const textBytes = utf8(`${comment}\0`).subarray(0, 255);
  return message.attribute(RULE.userData, Uint8Array.of(0, textBytes.length, ...textBytes));
}

/** nfgenmsg: family, version 0, and a big-endian resource number. */
function nfgen(family: number, resource: number): Uint8Array {
  return Uint8Array.of(family, 0, resource >>> 8, resource);
}
