import { concatBytes, utf8 } from "../../base/bytes.ts";
import type { Netlink, NetlinkRequest } from "./conversation.ts";

/**
 * What every message to nf_tables has (linux/netfilter/nfnetlink.h), and the transaction that many
 * of them make:
 *
 *    0               1               2               3
 *   +---------------+---------------+-------------------------------+
 *   |    family     |   version 0   |    resource id, big-endian    |  attributes…
 *   +---------------+---------------+-------------------------------+
 */
export type NftFamily = "ip" | "ip6" | "inet";

/** A table, whether it stands or is declared. */
export interface NftTableId {
  readonly family: NftFamily;
  readonly name: string;
}

/** Kinds of messages, `enum nf_tables_msg_types`. */
export const NFT = {
  newTable: 0,
  getTable: 1,
  deleteTable: 2,
  newChain: 3,
  getChain: 4,
  deleteChain: 5,
  newRule: 6,
  getRule: 7,
  deleteRule: 8,
  newSet: 9,
  getSet: 10,
  deleteSet: 11,
  newSetElement: 12,
  getSetElement: 13,
  deleteSetElement: 14,
  newGeneration: 15,
  getGeneration: 16,
} as const;

/** Of each element in a list of nested attributes. */
export const LIST_ELEMENT = 1;

/** Octets before the attributes of a message. */
export const nfgenBytes = 4;

const subsystem = 10;
const NFNL_BATCH_BEGIN = 0x10;
const NFNL_BATCH_END = 0x11;
const familyNumber = { ip: 2, ip6: 10, inet: 1 } as const;
const anyFamily = 0;

/** The netlink type of a kind of messages of {@link NFT}. */
export function nftType(kind: number): number {
  return (subsystem << 8) | kind;
}

/** What is in a message; without a family it is about tables of all. */
export function nftBody(family?: NftFamily, ...attributes: Uint8Array[]): Uint8Array {
  return concatBytes(
    nfgen(family === undefined ? anyFamily : familyNumber[family], 0),
    ...attributes,
  );
}

/** Whether what is in a message is about tables of the family. */
export function isOfFamily(body: Uint8Array, family: NftFamily): boolean {
  return body[0] === familyNumber[family];
}

/** One request of a {@link transact}; `about` is for error messages. */
export function nftRequest(
  kind: number,
  flags: number,
  about: string,
  family: NftFamily,
  ...attributes: Uint8Array[]
): NetlinkRequest {
  return { type: nftType(kind), flags, body: nftBody(family, ...attributes), about };
}

/** Does all of `requests` or, when one is refused, none. @throws SystemError */
export function transact(netlink: Netlink, requests: readonly NetlinkRequest[]): void {
  const edge = { flags: 0, body: nfgen(anyFamily, subsystem), about: "nftables transaction" };
  netlink.transaction({ ...edge, type: NFNL_BATCH_BEGIN }, requests, {
    ...edge,
    type: NFNL_BATCH_END,
  });
}

/** As the `nft` program stores a comment, and no longer than it may be. */
const commentBytesMax = 127;

/**
 * What tables, chains, sets and rules have for whoever lists them: kind, length, text, zero. The `nft`
 * program could not read what it lists if there were double quotes in a text.
 */
export function commentData(kind: number, comment: string): Uint8Array {
  const whole = utf8(comment.slice(0, commentBytesMax + 1).replaceAll('"', "'"));
  let end = Math.min(whole.length, commentBytesMax);
  // Not within a character.
  while (end < whole.length && (whole[end]! & 0xc0) === 0x80) end--;
  return Uint8Array.of(kind, end + 1, ...whole.subarray(0, end), 0);
}

function nfgen(family: number, resource: number): Uint8Array {
  return Uint8Array.of(family, 0, resource >>> 8, resource);
}
