import { concatBytes } from "../../base/bytes.ts";
import * as message from "./message.ts";

/**
 * Expressions of nf_tables rules (linux/netfilter/nf_tables.h): each loads something into a
 * register, compares one, or decides what happens to the packet. The numbers in nf_tables attributes
 * are big-endian; the data in registers lies there as in the packet or, for the kernel's own values,
 * in the machine's order.
 *
 * Rules are made of what nft-match.ts and nft-statement.ts make of these.
 */

/** Of 16 octets, for one value at a time. */
export const register = 1;
/** The first of those of 4 octets, which the fields of a key fill one by one. */
export const keyRegister = 8;
export const verdictRegister = 0;

const EXPRESSION = { name: 1, data: 2 } as const;
export const DATA = { value: 1, verdict: 2 } as const;
const VERDICT = { code: 1, chain: 2 } as const;
export const COMPARE = { equal: 0, notEqual: 1, atMost: 3, atLeast: 5 } as const;
export const META = {
  mark: 3,
  inputInterfaceName: 6,
  outputInterfaceName: 7,
  family: 15,
  transportProtocol: 16,
} as const;
export const HEADER = { network: 1, transport: 2 } as const;

/** Codes of verdicts; jump and goto name a chain. */
export const VERDICT_CODE = { drop: 0, accept: 1, jump: -3, goto: -4, return: -5 } as const;

export function expression(name: string, ...attributes: readonly Uint8Array[]): Uint8Array {
  return concatBytes(
    message.text(EXPRESSION.name, name),
    message.nested(EXPRESSION.data, ...attributes),
  );
}

/** Loads what the kernel knows of the packet beside its octets. */
export function meta(key: number, into = register): Uint8Array {
  return expression("meta", message.uint32BigEndian(1, into), message.uint32BigEndian(2, key));
}

export function payload(
  header: number,
  offset: number,
  length: number,
  into = register,
): Uint8Array {
  return expression(
    "payload",
    message.uint32BigEndian(1, into),
    message.uint32BigEndian(2, header),
    message.uint32BigEndian(3, offset),
    message.uint32BigEndian(4, length),
  );
}

/** Keeps the bits of the register that are set in `mask`. */
export function bitwise(mask: Uint8Array): Uint8Array {
  return expression(
    "bitwise",
    message.uint32BigEndian(1, register),
    message.uint32BigEndian(2, register),
    message.uint32BigEndian(3, mask.length),
    message.nested(4, message.attribute(DATA.value, mask)),
    message.nested(5, message.attribute(DATA.value, new Uint8Array(mask.length))),
  );
}

/** As numbers with the first octet the highest. */
export function compare(operation: number, value: Uint8Array): Uint8Array {
  return expression(
    "cmp",
    message.uint32BigEndian(1, register),
    message.uint32BigEndian(2, operation),
    message.nested(3, message.attribute(DATA.value, value)),
  );
}

/**
 * Looks the key that begins in register `from` up; a packet whose key is not there goes no further.
 *
 * @param into where a map's value goes; for a map of verdicts, the verdict takes effect
 */
export function lookup(set: string, from: number, into?: number): Uint8Array {
  return expression(
    "lookup",
    message.text(1, set),
    message.uint32BigEndian(2, from),
    ...(into === undefined ? [] : [message.uint32BigEndian(3, into)]),
  );
}

export function immediate(value: Uint8Array): Uint8Array {
  return expression(
    "immediate",
    message.uint32BigEndian(1, register),
    message.nested(2, message.attribute(DATA.value, value)),
  );
}

export function verdict(code: number, chain?: string): Uint8Array {
  return expression(
    "immediate",
    message.uint32BigEndian(1, verdictRegister),
    message.nested(2, verdictData(code, chain)),
  );
}

/** A verdict as the value of something. */
export function verdictData(code: number, chain?: string): Uint8Array {
  return message.nested(
    DATA.verdict,
    message.uint32BigEndian(VERDICT.code, code),
    ...(chain === undefined ? [] : [message.text(VERDICT.chain, chain)]),
  );
}
