import { isSystemError } from "../../../ffi/system-error.ts";
import type { Netlink, NetlinkRequest } from "./conversation.ts";
import * as message from "./message.ts";
import { attributesBehind, flags } from "./message.ts";
import {
  commentData,
  LIST_ELEMENT,
  NFT,
  type NftFamily,
  type NftTableId,
  nfgenBytes,
  nftBody,
  nftRequest,
  nftType,
  transact,
} from "./nft-message.ts";
import { addElements, declareSet, type NftSet } from "./nft-set.ts";

/**
 * Tables of nf_tables (linux/netfilter/nf_tables.h), declared whole and put in place in one
 * transaction: a packet sees the old rules or the new ones, never a mixture.
 *
 *   batch begin ─ add table ─ sets… ─ chains… ─ elements… ─ rules… ─ batch end   where there is none
 *   batch begin ─ delete table ─ add table ─ … ─ batch end                       where there is one
 *
 * The kernel waits some milliseconds before it forgets what was deleted, and its caller with it.
 */
export interface NftTable extends NftTableId {
  readonly sets?: readonly NftSet[];
  readonly chains: readonly NftChain[];
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
  readonly comment?: string;
}

export interface NftRule {
  /** Encoded expressions, see nft-expression.ts; a packet must pass each to reach the next. */
  readonly expressions: readonly Uint8Array[];
  readonly comment?: string;
}

const GENERATION_ID = 1;
const hookNumber = { prerouting: 0, input: 1, forward: 2, output: 3, postrouting: 4 } as const;
const TABLE = { name: 1, flags: 2 } as const;
const CHAIN = { table: 1, name: 3, hook: 4, policy: 5, type: 7, userData: 12 } as const;
const HOOK = { number: 1, priority: 2 } as const;
const RULE = { table: 1, chain: 2, handle: 3, expressions: 4, userData: 7 } as const;
const policyAccept = 1;
/** The kind of text that a comment of a chain or a rule is. */
const commentKind = 0;

/** Puts `table` in the place of whatever table of this name there was. @throws SystemError */
export function replaceTable(netlink: Netlink, table: NftTable): void {
  const create = createTable(table);
  try {
    transact(netlink, create);
  } catch (error) {
    if (!isSystemError(error, "EEXIST")) throw error;
    transact(netlink, [tableRequest(NFT.deleteTable, 0, table), ...create]);
  }
}

/**
 * Asks for the table where there is none of this name, and takes it away before it was there.
 *
 * @throws SystemError when the kernel would not have it
 */
export function rehearseTable(netlink: Netlink, table: NftTable): void {
  transact(netlink, [...createTable(table), tableRequest(NFT.deleteTable, 0, table)]);
}

function createTable(table: NftTable): NetlinkRequest[] {
  const sets = table.sets ?? [];
  return [
    tableRequest(NFT.newTable, flags.create | flags.exclusive, table),
    ...sets.map((set, index) => declareSet(table, set, index + 1)),
    ...table.chains.map((chain) => declareChain(table, chain)),
    ...sets.flatMap(({ name, elements }) => addElements(table, name, elements)),
    ...table.chains.flatMap((chain) => addRules(table, chain)),
  ];
}

/** False when there was none, or the kernel has no such tables. @throws SystemError */
export function deleteTable(netlink: Netlink, table: NftTableId): boolean {
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
    .dump(nftType(NFT.getTable), nftBody(family), "nftables tables")
    .map(({ body }) => attributesBehind(nfgenBytes, body).text(TABLE.name) ?? "");
}

/** Names of all chains of a table; none when it does not exist. @throws SystemError */
export function listChains(netlink: Netlink, table: NftTableId): string[] {
  return listNames(netlink, NFT.getChain, table, { table: CHAIN.table, name: CHAIN.name });
}

/** Names of all sets and maps of a table; none when it does not exist. @throws SystemError */
export function listSets(netlink: Netlink, table: NftTableId): string[] {
  return listNames(netlink, NFT.getSet, table, { table: 1, name: 2 });
}

function listNames(
  netlink: Netlink,
  kind: number,
  { family, name }: NftTableId,
  attribute: { readonly table: number; readonly name: number },
): string[] {
  const body = nftBody(family, message.text(attribute.table, name));
  // Of chains the kernel gives those of all tables, whatever it is asked for.
  return netlink.dump(nftType(kind), body, `nftables table ${name}`).flatMap((answer) => {
    const found = attributesBehind(nfgenBytes, answer.body);
    return found.text(attribute.table) === name ? [found.text(attribute.name) ?? ""] : [];
  });
}

/** One rule of a table as the kernel numbers it. */
export interface ListedRule {
  readonly chain: string;
  /** Never given to another rule while the table exists. */
  readonly handle: bigint;
}

/** The rules of a table in the order of their chains; none when it does not exist. @throws SystemError */
export function listRules(netlink: Netlink, table: NftTableId): ListedRule[] {
  const body = nftBody(table.family, message.text(RULE.table, table.name));
  const found = netlink.dump(nftType(NFT.getRule), body, "nftables rules");
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
  const type = nftType(NFT.getGeneration);
  const [answer] = netlink.request(type, 0, nftBody(), "nftables generation");
  const generation =
    answer && attributesBehind(nfgenBytes, answer.body).uint32BigEndian(GENERATION_ID);
  if (generation === undefined) throw message.malformed("nftables generation", 0);
  return generation;
}

function tableRequest(kind: number, requestFlags: number, table: NftTableId): NetlinkRequest {
  const about = `nftables table ${table.family} ${table.name}`;
  return nftRequest(kind, requestFlags, about, table.family, message.text(TABLE.name, table.name));
}

/** Declares a chain without rules. */
export function declareChain(table: NftTableId, chain: NftChain): NetlinkRequest {
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
  return nftRequest(
    NFT.newChain,
    flags.create,
    `nftables chain ${table.name} ${chain.name}`,
    table.family,
    message.text(CHAIN.table, table.name),
    message.text(CHAIN.name, chain.name),
    ...hook,
    ...comment(CHAIN.userData, chain.comment),
  );
}

/** Adds the rules of a chain behind those that it has. */
export function addRules(table: NftTableId, chain: NftChain): NetlinkRequest[] {
  return chain.rules.map((rule) =>
    nftRequest(
      NFT.newRule,
      flags.create | flags.append,
      `nftables rule in ${table.name} ${chain.name}`,
      table.family,
      message.text(RULE.table, table.name),
      message.text(RULE.chain, chain.name),
      message.nested(
        RULE.expressions,
        ...rule.expressions.map((bytes) => message.nested(LIST_ELEMENT, bytes)),
      ),
      ...comment(RULE.userData, rule.comment),
    ),
  );
}

/** Takes all rules out of a chain. */
export function emptyChain(table: NftTableId, chain: string): NetlinkRequest {
  const about = `nftables rules in ${table.name} ${chain}`;
  const attributes = [message.text(RULE.table, table.name), message.text(RULE.chain, chain)];
  return nftRequest(NFT.deleteRule, 0, about, table.family, ...attributes);
}

/** Removes a chain that has no rules and that nothing leads to. */
export function deleteChain(table: NftTableId, chain: string): NetlinkRequest {
  const about = `nftables chain ${table.name} ${chain}`;
  const attributes = [message.text(CHAIN.table, table.name), message.text(CHAIN.name, chain)];
  return nftRequest(NFT.deleteChain, 0, about, table.family, ...attributes);
}

function comment(type: number, text: string | undefined): Uint8Array[] {
  return text === undefined ? [] : [message.attribute(type, commentData(commentKind, text))];
}
