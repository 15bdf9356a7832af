import { readUint32, writeUint32 } from "../../base/bytes.ts";

/**
 * The sequence field of a datagram under AES-256-GCM: which key sealed it, and its number under that
 * key (docs/protocol.md). The field is also the part of the nonce that never repeats.
 *
 *    63         56 55                  32 31                                0
 *   +-------------+----------------------+----------------------------------+
 *   | generation  |        epoch         |              number              |
 *   +-------------+----------------------+----------------------------------+
 *    └──────── the key, 32 bits ────────┘
 *
 * A *generation* lasts until an engine at either end is started anew and has forgotten its numbers;
 * an *epoch* until its key has done enough. Both begin at 0 and only grow.
 */

/** Engines of one link that may be started anew; then the link itself has to be. */
export const generationMax = 2 ** 8 - 1;

/** 63 years of epochs that end by time. */
export const epochMax = 2 ** 24 - 1;

/** Generation and epoch as one number, by which keys are found. */
export function keyId(generation: number, epoch: number): number {
  return generation * 2 ** 24 + epoch;
}

export function writeEpochField(into: Uint8Array, at: number, id: number, number: number): void {
  writeUint32(into, at, id);
  writeUint32(into, at + 4, number);
}

export function readKeyId(bytes: Uint8Array, at: number): number {
  return readUint32(bytes, at);
}

export function readNumber(bytes: Uint8Array, at: number): number {
  return readUint32(bytes, at + 4);
}
