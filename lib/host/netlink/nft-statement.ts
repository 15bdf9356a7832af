import type { IpFamily } from "../../base/ip.ts";
import * as message from "./message.ts";
import {
  expression,
  HEADER,
  immediate,
  keyRegister,
  lookup,
  META,
  payload,
  register,
  VERDICT_CODE,
  verdict,
  verdictRegister,
} from "./nft-expression.ts";
import { type AddressField, loadAddress } from "./nft-match.ts";

/** What happens to packets that reach the end of a rule. */

export function counter(): Uint8Array {
  return expression("counter");
}

export function masquerade(): Uint8Array {
  return expression("masq");
}

export function accept(): Uint8Array {
  return verdict(VERDICT_CODE.accept);
}

export function drop(): Uint8Array {
  return verdict(VERDICT_CODE.drop);
}

/** Back to the chain that jumped here; from a base chain, its policy. */
export function leaveChain(): Uint8Array {
  return verdict(VERDICT_CODE.return);
}

/** On with another chain, which is left to where this one would be. */
export function goTo(chain: string): Uint8Array {
  return verdict(VERDICT_CODE.goto, chain);
}

/** What a map of verdicts has for an address; a packet whose address is not in it goes no further. */
export function verdictByMap(map: string, field: AddressField, family: IpFamily): Uint8Array[] {
  return [loadAddress(field, family), lookup(map, register, verdictRegister)];
}

/** Lets so many packets get further, on average and at once. */
export function limit(perSecond: number, burst: number): Uint8Array {
  const packets = 0;
  return expression(
    "limit",
    message.uint64BigEndian(1, perSecond),
    message.uint64BigEndian(2, 1),
    message.uint32BigEndian(3, burst),
    message.uint32BigEndian(4, packets),
  );
}

/** Tells a group of the kernel's log of the packet: `prefix` and its first octets from IP on. */
export function log(group: number, prefix: string, octetsMax: number): Uint8Array {
  return expression(
    "log",
    message.uint16BigEndian(1, group),
    message.text(2, prefix),
    message.uint32BigEndian(3, octetsMax),
  );
}

/** A part of the packet: `bytes` of it from `offset` in the header. */
export interface PacketField {
  readonly header: keyof typeof HEADER;
  readonly offset: number;
  readonly bytes: number;
}

/** The packet's mark becomes what the map has for these fields; a packet that is not in it goes no further. */
export function markByMap(map: string, fields: readonly PacketField[]): Uint8Array[] {
  const found = keyRegister + fields.length;
  return [
    ...fields.map(({ header, offset, bytes }, index) =>
      payload(HEADER[header], offset, bytes, keyRegister + index),
    ),
    lookup(map, keyRegister, found),
    expression("meta", message.uint32BigEndian(2, META.mark), message.uint32BigEndian(3, found)),
  ];
}

/** The packet goes to another UDP port of this host. It must not have a checksum: none is updated. */
export function redirectUdp(port: number): Uint8Array[] {
  return [
    immediate(Uint8Array.of(port >>> 8, port & 0xff)),
    expression(
      "payload",
      message.uint32BigEndian(2, HEADER.transport),
      message.uint32BigEndian(3, 2),
      message.uint32BigEndian(4, 2),
      message.uint32BigEndian(5, register),
    ),
  ];
}
