import type { ByteWriter } from "../byte-writer.ts";
import { corrupt, outOfRange, truncated } from "./error.ts";

/**
 * Gob's two kinds of whole numbers (mesh-protocol §6.1).
 *
 *   unsigned < 128      ┌───────┐
 *                       │ value │
 *                       └───────┘
 *   unsigned otherwise  ┌─────────┬──────────────────────────────┐
 *                       │ 256 − n │ n octets, 1 ≤ n ≤ 8, minimal │   big-endian
 *                       └─────────┴──────────────────────────────┘
 *   signed v            unsigned  v ≥ 0: 2v     v < 0: −2v − 1
 *
 * Receivers accept non-minimal forms.
 */

/** A position in bytes that moves as values are read. */
export class GobInput {
  readonly bytes: Uint8Array;
  at: number;
  readonly end: number;

  constructor(bytes: Uint8Array, at = 0, end = bytes.length) {
    this.bytes = bytes;
    this.at = at;
    this.end = end;
  }

  get remaining(): number {
    return this.end - this.at;
  }

  /** Octets of the unsigned number that begins here, its first octet included. */
  numberSize(): number {
    if (this.remaining < 1) throw truncated("a number");
    const first = this.bytes[this.at]!;
    if (first < 128) return 1;
    if (256 - first > 8) throw corrupt("number of more than eight octets");
    return 1 + 256 - first;
  }

  uint64(): bigint {
    const size = this.numberSize();
    if (size > this.remaining) throw truncated("a number");
    if (size === 1) return BigInt(this.bytes[this.at++]!);
    let value = 0n;
    for (const octet of this.bytes.subarray(this.at + 1, this.at + size)) {
      value = (value << 8n) | BigInt(octet);
    }
    this.at += size;
    return value;
  }

  /** An unsigned number of at most 53 bits. */
  uint(): number {
    const size = this.numberSize();
    if (size > 7) return safe(this.uint64());
    if (size > this.remaining) throw truncated("a number");
    if (size === 1) return this.bytes[this.at++]!;
    let value = 0;
    for (let i = 1; i < size; i++) value = value * 256 + this.bytes[this.at + i]!;
    this.at += size;
    return value;
  }

  int64(): bigint {
    const folded = this.uint64();
    return (folded & 1n) === 0n ? folded >> 1n : -(folded >> 1n) - 1n;
  }

  /** A signed number of at most 53 bits and a sign. */
  int(): number {
    return safe(this.int64());
  }

  /** Takes `length` octets as a view on the input. */
  take(length: number, what: string): Uint8Array {
    if (length > this.remaining) throw truncated(what);
    const taken = this.bytes.subarray(this.at, this.at + length);
    this.at += length;
    return taken;
  }
}

function safe(value: bigint): number {
  const number = Number(value);
  if (!Number.isSafeInteger(number)) throw outOfRange("number");
  return number;
}

export function writeUint(out: ByteWriter, value: number | bigint): void {
  if (value < 128) {
    out.byte(Number(value));
    return;
  }
  if (typeof value === "bigint" || value > 0xffffffff) {
    writeLongUint(out, BigInt(value));
    return;
  }
  const size = value < 0x100 ? 1 : value < 0x10000 ? 2 : value < 0x1000000 ? 3 : 4;
  out.byte(256 - size);
  for (let shift = 8 * (size - 1); shift >= 0; shift -= 8) out.byte((value >>> shift) & 255);
}

function writeLongUint(out: ByteWriter, value: bigint): void {
  let size = 1;
  while (value >> BigInt(8 * size) > 0n) size++;
  out.byte(256 - size);
  for (let shift = 8 * (size - 1); shift >= 0; shift -= 8) {
    out.byte(Number((value >> BigInt(shift)) & 255n));
  }
}

export function writeInt(out: ByteWriter, value: number | bigint): void {
  const wide = BigInt(value);
  writeUint(out, wide >= 0n ? wide << 1n : (-wide << 1n) - 1n);
}
