import { readUint32, writeUint32 } from "../../base/bytes.ts";
import { secretBoxNonceSize } from "../../base/secret-box.ts";

/**
 * The sequence field of an encrypted datagram and the nonce made of it (sleeve §10.2).
 *
 *    field, 8 octets                      nonce, 24 octets
 *     63  62                       0       0          1 ··· 15      16 ··· 23
 *   +----+--------------------------+    +----------+-------------+--------------+
 *   | DF |     sequence number      |    | O0000000 |  all zero   |    field     |
 *   +----+--------------------------+    +----------+-------------+--------------+
 *
 * DF names the encryptor that made the datagram, each with its own numbers from 0; it says nothing
 * of the IP header, which routers may change. O is 1 when the sender dialled the TCP connection.
 * (The TCP stream uses the same key with the next bit set, so no nonce is ever used twice.)
 */
export const sequenceSize = 8;

const fieldInNonce = 16;
const senderDialled = 0x80;
const dfBit = 0x80000000;

/** Numbers of a stream stay exact up to here: 28 years at ten million datagrams a second. */
export const sequenceMax = Number.MAX_SAFE_INTEGER;

/** A nonce to be filled again and again by {@link setNonceField}. */
export function newNonce(senderOutbound: boolean): Uint8Array {
  const nonce = new Uint8Array(secretBoxNonceSize);
  nonce[0] = senderOutbound ? senderDialled : 0;
  return nonce;
}

/** Copies the sequence field at `at` of a datagram into `nonce`. */
export function setNonceField(nonce: Uint8Array, datagram: Uint8Array, at: number): void {
  for (let i = 0; i < sequenceSize; i++) nonce[fieldInNonce + i] = datagram[at + i]!;
}

export interface SequenceField {
  /** A whole number up to {@link sequenceMax}. */
  readonly sequence: number;
  readonly df: boolean;
}

export function writeSequence(into: Uint8Array, at: number, { sequence, df }: SequenceField): void {
  writeUint32(into, at, (Math.floor(sequence / 2 ** 32) | (df ? dfBit : 0)) >>> 0);
  writeUint32(into, at + 4, sequence >>> 0);
}

export function readsDf(bytes: Uint8Array, at: number): boolean {
  return (bytes[at]! & 0x80) !== 0;
}

/** Bits of a sequence number that say its place within a replay window. */
export const windowBits = 20;

/** The number of the replay window: the upper 43 bits, which a double holds exactly. */
export function readWindow(bytes: Uint8Array, at: number): number {
  const high = readUint32(bytes, at) & ~dfBit;
  return high * 2 ** (32 - windowBits) + (readUint32(bytes, at + 4) >>> windowBits);
}

/** The place within the window: the lower 20 bits. */
export function readWindowOffset(bytes: Uint8Array, at: number): number {
  return readUint32(bytes, at + 4) & (2 ** windowBits - 1);
}
