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
    if (size <= 7) return BigInt(this.#short(size));
    // Two halves: an operation on a bigint costs more than all octets of a half.
    const middle = this.at + size - 4;
    const high = this.#octets(this.at + 1, middle);
    const low = this.#octets(middle, middle + 4);
    this.at += size;
    return (BigInt(high) << 32n) | BigInt(low);
  }

  /** An unsigned number of at most 53 bits. */
  uint(): number {
    const size = this.numberSize();
    if (size > 7) return safe(this.uint64());
    if (size > this.remaining) throw truncated("a number");
    return this.#short(size);
  }

  int64(): bigint {
    const folded = this.uint64();
    return (folded & 1n) === 0n ? folded >> 1n : -(folded >> 1n) - 1n;
  }

  /** A signed number of at most 53 bits and a sign. */
  int(): number {
    const size = this.numberSize();
    if (size > 7 || size > this.remaining) return safe(this.int64());
    const folded = this.#short(size);
    return folded % 2 === 0 ? folded / 2 : -(folded + 1) / 2;
  }

  /** Takes `length` octets as a view on the input. */
  take(length: number, what: string): Uint8Array {
    if (length > this.remaining) throw truncated(what);
    const taken = this.bytes.subarray(this.at, this.at + length);
    this.at += length;
    return taken;
  }

  /** Takes a copy of `length` octets. */
  copy(length: number, what: string): Uint8Array {
    if (length > this.remaining) throw truncated(what);
    this.at += length;
    return this.bytes.slice(this.at - length, this.at);
  }

  /** Takes `length` octets as an input of their own. */
  part(length: number, what: string): GobInput {
    if (length > this.remaining) throw truncated(what);
    const begin = this.at;
    this.at += length;
    return new GobInput(this.bytes, begin, this.at);
  }

  /** Whether everything from `begin` on is `other`. */
  equals(other: Uint8Array, begin: number): boolean {
    if (this.end - begin !== other.length) return false;
    for (let i = 0; i < other.length; i++) if (this.bytes[begin + i] !== other[i]) return false;
    return true;
  }

  /** A number of at most six octets behind its first one, or of one octet alone. */
  #short(size: number): number {
    if (size === 1) return this.bytes[this.at++]!;
    const value = this.#octets(this.at + 1, this.at + size);
    this.at += size;
    return value;
  }

  #octets(from: number, to: number): number {
    let value = 0;
    for (let at = from; at < to; at++) value = value * 256 + this.bytes[at]!;
    return value;
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
  } else if (typeof value === "number" && value <= 0xffffffff) {
    writeOctets(out, sizeOf(value), 0, value);
  } else {
    // Two halves, as in reading.
    const isWide = typeof value === "bigint";
    const high = isWide ? Number(value >> 32n) : Math.floor(value / 2 ** 32);
    const low = isWide ? Number(value & 0xffffffffn) : value >>> 0;
    writeOctets(out, high === 0 ? sizeOf(low) : 4 + sizeOf(high), high, low);
  }
}

/** Octets of a number of 32 bits that is not zero. */
function sizeOf(value: number): number {
  return value < 0x100 ? 1 : value < 0x10000 ? 2 : value < 0x1000000 ? 3 : 4;
}

function writeOctets(out: ByteWriter, size: number, high: number, low: number): void {
  out.byte(256 - size);
  for (let shift = 8 * (size - 5); shift >= 0; shift -= 8) out.byte((high >>> shift) & 255);
  for (let shift = 8 * (Math.min(size, 4) - 1); shift >= 0; shift -= 8) {
    out.byte((low >>> shift) & 255);
  }
}

/** Numbers that fold into 32 bits need no bigint. */
const foldedMax = 2 ** 31;

export function writeInt(out: ByteWriter, value: number | bigint): void {
  if (typeof value === "number" && value >= -foldedMax && value < foldedMax) {
    writeUint(out, value >= 0 ? 2 * value : -2 * value - 1);
    return;
  }
  const wide = BigInt(value);
  writeUint(out, wide >= 0n ? wide << 1n : (-wide << 1n) - 1n);
}
