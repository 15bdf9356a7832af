/** Small helpers over `Uint8Array` that every codec uses. All numbers are big-endian. */

const encoder = new TextEncoder();
// A byte-order mark is part of the text: names are relayed as they came.
const decoder = new TextDecoder("utf-8", { ignoreBOM: true });

export const emptyBytes = new Uint8Array(0);

export function concatBytes(...parts: readonly Uint8Array[]): Uint8Array {
  let length = 0;
  for (const part of parts) length += part.length;
  const whole = new Uint8Array(length);
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

export function equalBytes(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}

export function toHex(bytes: Uint8Array): string {
  return bytes.toHex();
}

/** Lower or upper case, an even number of digits; throws `SyntaxError` otherwise. */
export function fromHex(text: string): Uint8Array {
  return Uint8Array.fromHex(text);
}

export function utf8(text: string): Uint8Array {
  return encoder.encode(text);
}

/** Invalid sequences become U+FFFD: text from the wire is shown, never trusted. */
export function fromUtf8(bytes: Uint8Array): string {
  return decoder.decode(bytes);
}

/** At most the first `maxLength` characters, as a copy: a slice would keep all of `text` in memory. */
export function cutText(text: string, maxLength: number): string {
  return text.length <= maxLength ? text : fromUtf8(utf8(text.slice(0, maxLength)));
}

export function readUint16(bytes: Uint8Array, at: number): number {
  return (bytes[at]! << 8) | bytes[at + 1]!;
}

export function readUint32(bytes: Uint8Array, at: number): number {
  return (
    ((bytes[at]! << 24) | (bytes[at + 1]! << 16) | (bytes[at + 2]! << 8) | bytes[at + 3]!) >>> 0
  );
}

export function readUint64(bytes: Uint8Array, at: number): bigint {
  return (BigInt(readUint32(bytes, at)) << 32n) | BigInt(readUint32(bytes, at + 4));
}

export function writeUint16(bytes: Uint8Array, at: number, value: number): void {
  bytes[at] = value >>> 8;
  bytes[at + 1] = value;
}

export function writeUint32(bytes: Uint8Array, at: number, value: number): void {
  bytes[at] = value >>> 24;
  bytes[at + 1] = value >>> 16;
  bytes[at + 2] = value >>> 8;
  bytes[at + 3] = value;
}

export function writeUint64(bytes: Uint8Array, at: number, value: bigint): void {
  writeUint32(bytes, at, Number(value >> 32n));
  writeUint32(bytes, at + 4, Number(value & 0xffffffffn));
}

/** Below this many octets a loop is quicker than making a view for `set`. */
const copyByViewMin = 64;

/**
 * Copies `length` octets between two buffers (not overlapping within one). Packet paths use it
 * because it allocates nothing for small frames and one short-lived view for large ones.
 */
export function copyBytes(
  into: Uint8Array,
  at: number,
  from: Uint8Array,
  offset: number,
  length: number,
): void {
  if (length >= copyByViewMin) into.set(from.subarray(offset, offset + length), at);
  else for (let i = 0; i < length; i++) into[at + i] = from[offset + i]!;
}
