import { type Pointer, ptr } from "bun:ffi";

/**
 * Octets whose address stays the same as long as they are referenced. Small typed arrays may live
 * inside the collector's heap and move when their `buffer` is first asked for; ones made over an
 * `ArrayBuffer` of their own never do, so their address may be kept in native structures.
 */
export function pinnedBytes(size: number): Uint8Array<ArrayBuffer> {
  return new Uint8Array(new ArrayBuffer(size));
}

/** Octets that native calls read or fill in by reference, and where they are. */
export class PinnedMemory {
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly view: DataView<ArrayBuffer>;
  /** Of the first octet. A plain number: addresses have 47 bits. */
  readonly address: number;

  /** `octets`: how many, or ones over a buffer of their own. */
  constructor(octets: number | Uint8Array<ArrayBuffer>) {
    this.bytes = typeof octets === "number" ? pinnedBytes(octets) : octets;
    this.view = new DataView(this.bytes.buffer, this.bytes.byteOffset, this.bytes.length);
    this.address = ptr(this.bytes);
  }
}

/** The address of the first octet of `view`, which must be pinned when the address is kept. */
export function addressOf(view: NodeJS.TypedArray | DataView | ArrayBuffer): Pointer {
  return ptr(view);
}

/** `text` as C takes it: UTF-8 and a final zero octet. @throws RangeError for a zero inside */
export function cString(text: string): Uint8Array<ArrayBuffer> {
  if (text.includes("\0")) throw new RangeError("a path or name contains a zero character");
  return new Uint8Array(Buffer.from(`${text}\0`, "utf8"));
}
