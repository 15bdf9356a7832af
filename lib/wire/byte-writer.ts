import { copyBytes, emptyBytes } from "../base/bytes.ts";

/** Larger buffers are left to the collector. */
const spareMaxBytes = 64 << 10;

/**
 * The buffer of the last writer that finished, for the next one: writers live shortly and one after
 * the other, so that most of them allocate nothing but what they return.
 */
let spare: Uint8Array | undefined;

/** A buffer that grows as it is written to. */
export class ByteWriter {
  #buffer: Uint8Array;
  #length = 0;

  constructor() {
    this.#buffer = spare ?? new Uint8Array(1024);
    spare = undefined;
  }

  get length(): number {
    return this.#length;
  }

  byte(value: number): void {
    if (this.#length === this.#buffer.length) this.#reserve(1);
    this.#buffer[this.#length++] = value;
  }

  bytes(bytes: Uint8Array): void {
    this.#reserve(bytes.length);
    copyBytes(this.#buffer, this.#length, bytes, 0, bytes.length);
    this.#length += bytes.length;
  }

  /** Moves what was written from `at` on by `size` octets, which are to be overwritten. */
  makeRoom(at: number, size: number): void {
    this.#reserve(size);
    this.#buffer.copyWithin(at + size, at, this.#length);
    this.#length += size;
  }

  /** Overwrites what was written at `at`. */
  set(at: number, value: number): void {
    this.#buffer[at] = value;
  }

  /** What was written so far, as a copy that later writes do not touch. */
  take(): Uint8Array {
    return this.#buffer.slice(0, this.#length);
  }

  /** All that was written; the writer begins again. */
  finish(): Uint8Array {
    const whole = this.take();
    if (this.#buffer.length <= spareMaxBytes) spare = this.#buffer;
    this.#buffer = emptyBytes;
    this.#length = 0;
    return whole;
  }

  #reserve(extra: number): void {
    const needed = this.#length + extra;
    if (needed <= this.#buffer.length) return;
    const larger = new Uint8Array(Math.max(this.#buffer.length * 2, needed, 256));
    copyBytes(larger, 0, this.#buffer, 0, this.#length);
    this.#buffer = larger;
  }
}
