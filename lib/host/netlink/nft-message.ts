import { concatBytes } from "../../base/bytes.ts";
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
  newRule: 6,
  getRule: 7,
  newSet: 9,
  newSetElement: 12,
  deleteSetElement: 14,
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

function nfgen(family: number, resource: number): Uint8Array {
  return Uint8Array.of(family, 0, resource >>> 8, resource);
}
