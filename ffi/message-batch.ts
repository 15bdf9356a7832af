import { type Pointer, ptr } from "bun:ffi";
import { lastErrno, libc } from "./libc.ts";
import { PinnedMemory } from "./memory.ts";

/**
 * Many messages in one call, from and into memory that is set up once (recvmmsg(2), sendmmsg(2)).
 *
 *   struct mmsghdr (64), one per message                      struct iovec (16), one per piece
 *   +---------+-------------+---------+-----------+           +---------+--------+
 *   | name: 8 | namelen 4+4 | iov: 8  | iovlen: 8 |   iov ──▶ | base: 8 | len: 8 | ──▶ payload
 *   +---------+-------------+---------+-----------+           +---------+--------+
 *   | control: 8 | controllen: 8 | flags: 4+4 | transferred: 4+4 |
 *   +------------+---------------+------------+------------------+
 *
 * Names (socket addresses) and control data (ancillary messages) of all messages lie one after the
 * other in arrays of their own.
 */
const headerBytes = 64;
const at = {
  name: 0,
  nameLength: 8,
  iov: 16,
  iovLength: 24,
  control: 32,
  controlLength: 40,
  flags: 48,
  transferred: 56,
} as const;
const iovBytes = 16;
const MSG_DONTWAIT = 0x40;
const MSG_TRUNC = 0x20;
const EINTR = 4;
const EAGAIN = 11;

interface HeaderShape {
  readonly messages: number;
  /** Pieces of memory that all messages together consist of. */
  readonly pieces: number;
  /** Size of a socket address; 0 for sockets that are connected or bound to one peer. */
  readonly nameBytes: number;
  /** Room for ancillary data; 0 for none. */
  readonly controlBytes: number;
}

class MessageHeaders {
  readonly shape: HeaderShape;
  readonly names: DataView<ArrayBuffer>;
  readonly control: DataView<ArrayBuffer>;
  readonly view: DataView<ArrayBuffer>;
  readonly #iovs: PinnedMemory;

  constructor(shape: HeaderShape) {
    const { messages, pieces, nameBytes, controlBytes } = shape;
    this.shape = shape;
    // An address is needed even when nothing lies there.
    const names = new PinnedMemory(Math.max(messages * nameBytes, 8));
    const control = new PinnedMemory(Math.max(messages * controlBytes, 8));
    this.names = names.view;
    this.control = control.view;
    this.view = new PinnedMemory(messages * headerBytes).view;
    this.#iovs = new PinnedMemory(pieces * iovBytes);
    for (let message = 0; message < messages; message++) {
      const header = message * headerBytes;
      if (nameBytes > 0) {
        writeAddress(this.view, header + at.name, names.address + message * nameBytes);
      }
      if (controlBytes > 0) {
        writeAddress(this.view, header + at.control, control.address + message * controlBytes);
      }
      this.resetLengths(message);
    }
  }

  /** The kernel writes back how much of name and control it used. */
  resetLengths(message: number): void {
    const header = message * headerBytes;
    this.view.setUint32(header + at.nameLength, this.shape.nameBytes, true);
    this.view.setUint32(header + at.controlLength, this.shape.controlBytes, true);
  }

  setControlLength(message: number, length: number): void {
    this.view.setUint32(message * headerBytes + at.controlLength, length, true);
  }

  /** Says which of the pieces a message consists of. */
  setPieces(message: number, first: number, count: number): void {
    const header = message * headerBytes;
    writeAddress(this.view, header + at.iov, this.#iovs.address + first * iovBytes);
    this.view.setUint32(header + at.iovLength, count, true);
  }

  /** @throws RangeError when the piece is not within its memory: native code would not look */
  setPiece(piece: number, memory: PinnedMemory, offset: number, length: number): void {
    if (offset < 0 || length < 0 || offset + length > memory.bytes.length) {
      throw new RangeError("a piece of a message lies outside of its memory");
    }
    writeAddress(this.#iovs.view, piece * iovBytes, memory.address + offset);
    this.#iovs.view.setUint32(piece * iovBytes + 8, length, true);
  }

  address(message: number): Pointer {
    return ptr(this.view, message * headerBytes);
  }
}

function writeAddress(into: DataView, offset: number, address: number): void {
  into.setUint32(offset, address >>> 0, true);
  into.setUint32(offset + 4, Math.floor(address / 2 ** 32), true);
}

export interface ReceiveShape {
  readonly slots: number;
  /** Room for one payload. */
  readonly payloadBytes: number;
  /** Free octets before each payload, for a header that is put in later. */
  readonly headroomBytes?: number;
  /** Size of a socket address; 0 for none. */
  readonly nameBytes: number;
  /** Room for ancillary data; 0 for none. */
  readonly controlBytes: number;
  /** Makes the memory for payloads, over a buffer of its own. */
  readonly allocate?: (bytes: number) => Uint8Array<ArrayBuffer>;
}

/** What came in with the last {@link receive}; valid until the next one. */
export class ReceiveBatch {
  /** All payloads; one of a slot begins at {@link offset} and has {@link length} octets. */
  readonly memory: PinnedMemory;
  readonly #headers: MessageHeaders;
  readonly #stride: number;
  readonly #headroom: number;
  #used = 0;

  constructor(shape: ReceiveShape) {
    const { slots, payloadBytes, headroomBytes = 0, nameBytes, controlBytes } = shape;
    this.#headroom = headroomBytes;
    this.#stride = headroomBytes + payloadBytes;
    const bytes = slots * this.#stride;
    this.memory = new PinnedMemory(shape.allocate?.(bytes) ?? bytes);
    this.#headers = new MessageHeaders({ messages: slots, pieces: slots, nameBytes, controlBytes });
    for (let slot = 0; slot < slots; slot++) {
      this.#headers.setPiece(slot, this.memory, this.offset(slot), payloadBytes);
      this.#headers.setPieces(slot, slot, 1);
    }
  }

  /** Socket addresses, `nameBytes` each. */
  get names(): DataView<ArrayBuffer> {
    return this.#headers.names;
  }

  /** Ancillary data, `controlBytes` each. */
  get control(): DataView<ArrayBuffer> {
    return this.#headers.control;
  }

  /**
   * Takes what waits, up to `slotsMax` or the number of slots, without waiting. Returns how many
   * slots are filled, or the negative errno.
   */
  receive(descriptor: number, slotsMax = this.#headers.shape.messages): number {
    const headers = this.#headers;
    for (let slot = 0; slot < this.#used; slot++) headers.resetLengths(slot);
    this.#used = 0;
    const count = libc.recvmmsg(descriptor, headers.address(0), slotsMax, MSG_DONTWAIT, null);
    if (count >= 0) {
      this.#used = count;
      return count;
    }
    const errno = lastErrno();
    return errno === EAGAIN || errno === EINTR ? 0 : -errno;
  }

  /** Where the payload of a slot begins in {@link memory}. */
  offset(slot: number): number {
    return slot * this.#stride + this.#headroom;
  }

  length(slot: number): number {
    return this.#headers.view.getUint32(slot * headerBytes + at.transferred, true);
  }

  /** Whether the payload was longer than its slot. */
  truncated(slot: number): boolean {
    return (this.#headers.view.getUint32(slot * headerBytes + at.flags, true) & MSG_TRUNC) !== 0;
  }

  /** Octets of ancillary data that came with the payload. */
  controlLength(slot: number): number {
    return this.#headers.view.getUint32(slot * headerBytes + at.controlLength, true);
  }
}

export interface SendShape extends HeaderShape {
  /** Pieces that one message may have. */
  readonly piecesPerMessage: number;
}

/**
 * Messages to be sent together, each made of pieces of memory that must stay as they are until it
 * is gone.
 *
 *   0 ······ sent ······ filled ······ messages
 *   │ gone     │ waiting     │ free      │      all gone: back to 0
 */
export class SendBatch {
  readonly #headers: MessageHeaders;
  readonly #piecesPerMessage: number;
  /** Where the pieces of each message begin. */
  readonly #firstPieces: Int32Array;
  #sent = 0;
  #filled = 0;
  #pieces = 0;

  constructor(shape: SendShape) {
    this.#headers = new MessageHeaders(shape);
    this.#piecesPerMessage = shape.piecesPerMessage;
    this.#firstPieces = new Int32Array(shape.messages);
  }

  /** Whether there may be no room for another message with all the pieces it may have. */
  get full(): boolean {
    const { messages, pieces } = this.#headers.shape;
    return this.#filled === messages || this.#pieces + this.#piecesPerMessage > pieces;
  }

  get waiting(): number {
    return this.#filled - this.#sent;
  }

  /** The first message that waits. */
  get first(): number {
    return this.#sent;
  }

  /** Socket addresses, `nameBytes` each, to be filled in after {@link begin}. */
  get names(): DataView<ArrayBuffer> {
    return this.#headers.names;
  }

  get control(): DataView<ArrayBuffer> {
    return this.#headers.control;
  }

  /** Begins the next message, still without pieces; returns its number. The batch must not be full. */
  begin(): number {
    this.#firstPieces[this.#filled] = this.#pieces;
    this.#headers.setPieces(this.#filled, this.#pieces, 0);
    return this.#filled++;
  }

  /** Adds a piece to the message begun last. @throws RangeError outside of its memory */
  append(memory: PinnedMemory, offset: number, length: number): void {
    const message = this.#filled - 1;
    const first = this.#firstPieces[message]!;
    this.#headers.setPiece(this.#pieces++, memory, offset, length);
    this.#headers.setPieces(message, first, this.#pieces - first);
  }

  /** Puts another piece in the place of a message's first. @throws RangeError */
  replace(message: number, memory: PinnedMemory, offset: number, length: number): void {
    this.#headers.setPiece(this.#firstPieces[message]!, memory, offset, length);
  }

  /** How much of a message's ancillary data counts. */
  setControlLength(message: number, length: number): void {
    this.#headers.setControlLength(message, length);
  }

  /**
   * Sends up to `count` of what waits, without waiting. Returns how many are gone; or the negative
   * errno with which the first of them was refused.
   */
  send(descriptor: number, count: number): number {
    const address = this.#headers.address(this.#sent);
    const sent = libc.sendmmsg(descriptor, address, count, MSG_DONTWAIT);
    if (sent < 0) return -lastErrno();
    this.#advance(sent);
    return sent;
  }

  /** Gives up the first that waits. */
  skip(): void {
    this.#advance(1);
  }

  #advance(count: number): void {
    this.#sent += count;
    if (this.#sent < this.#filled) return;
    this.#sent = 0;
    this.#filled = 0;
    this.#pieces = 0;
  }
}
