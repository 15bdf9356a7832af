import { type Pointer, ptr } from "bun:ffi";
import { lastErrno, libc } from "./libc.ts";
import { addressOf, pinnedBytes } from "./memory.ts";

/**
 * Many datagrams in one call, from and into buffers that are set up once (recvmmsg(2), sendmmsg(2)).
 *
 *   struct mmsghdr (64), one per slot                         struct iovec (16)
 *   +---------+-------------+---------+-----------+           +---------+--------+
 *   | name: 8 | namelen 4+4 | iov: 8  | iovlen: 8 |   iov ──▶ | base: 8 | len: 8 | ──▶ payload
 *   +---------+-------------+---------+-----------+           +---------+--------+
 *   | control: 8 | controllen: 8 | flags: 4+4 | transferred: 4+4 |
 *   +------------+---------------+------------+------------------+
 *
 * Names (socket addresses) and control data (ancillary messages) of all slots lie one after the
 * other in arrays of their own.
 */
export interface BatchShape {
  readonly slots: number;
  /** Room for one payload. */
  readonly payloadBytes: number;
  /** Free octets before each payload, for a header that is put in later. */
  readonly headroomBytes?: number;
  /** Size of a socket address; 0 for sockets that are connected or bound to one peer. */
  readonly nameBytes: number;
  /** Size of the ancillary data; 0 for none. */
  readonly controlBytes: number;
}

const headerBytes = 64;
const at = {
  name: 0,
  nameLength: 8,
  iov: 16,
  iovLength: 24,
  control: 32,
  controlLength: 40,
} as const;
const flagsAt = 48;
const transferredAt = 56;
const iovBytes = 16;
const MSG_DONTWAIT = 0x40;
const MSG_TRUNC = 0x20;
const EINTR = 4;
const EAGAIN = 11;

class MessageSlots {
  readonly shape: BatchShape;
  readonly payload: Uint8Array<ArrayBuffer>;
  readonly names: DataView<ArrayBuffer>;
  readonly control: DataView<ArrayBuffer>;
  readonly headers: DataView<ArrayBuffer>;
  readonly #stride: number;
  readonly #iovs: DataView<ArrayBuffer>;

  constructor(shape: BatchShape) {
    const { slots, nameBytes, controlBytes } = shape;
    this.shape = shape;
    this.#stride = (shape.headroomBytes ?? 0) + shape.payloadBytes;
    this.payload = pinnedBytes(slots * this.#stride);
    // An address is needed even when nothing lies there.
    this.names = new DataView(pinnedBytes(Math.max(slots * nameBytes, 8)).buffer);
    this.control = new DataView(pinnedBytes(Math.max(slots * controlBytes, 8)).buffer);
    this.headers = new DataView(pinnedBytes(slots * headerBytes).buffer);
    this.#iovs = new DataView(pinnedBytes(slots * iovBytes).buffer);
    const [payload, names, control, iovs] = [
      this.payload,
      this.names,
      this.control,
      this.#iovs,
    ].map((array) => BigInt(addressOf(array)));
    for (let slot = 0; slot < slots; slot++) {
      const header = slot * headerBytes;
      if (nameBytes > 0) this.#pointer(header + at.name, names! + BigInt(slot * nameBytes));
      this.#pointer(header + at.iov, iovs! + BigInt(slot * iovBytes));
      this.headers.setBigUint64(header + at.iovLength, 1n, true);
      if (controlBytes > 0) {
        this.#pointer(header + at.control, control! + BigInt(slot * controlBytes));
      }
      this.#iovs.setBigUint64(slot * iovBytes, payload! + BigInt(this.offset(slot)), true);
      this.setPayloadLength(slot, shape.payloadBytes);
      this.resetLengths(slot);
    }
  }

  /** Where the payload of a slot begins in {@link payload}. */
  offset(slot: number): number {
    return slot * this.#stride + (this.shape.headroomBytes ?? 0);
  }

  setPayloadLength(slot: number, length: number): void {
    this.#iovs.setUint32(slot * iovBytes + 8, length, true);
  }

  /** The kernel writes back how much of name and control it used. */
  resetLengths(slot: number): void {
    const header = slot * headerBytes;
    this.headers.setUint32(header + at.nameLength, this.shape.nameBytes, true);
    this.headers.setUint32(header + at.controlLength, this.shape.controlBytes, true);
  }

  address(slot: number): Pointer {
    return ptr(this.headers, slot * headerBytes);
  }

  #pointer(offset: number, address: bigint): void {
    this.headers.setBigUint64(offset, address, true);
  }
}

/** What came in with the last {@link receive}; valid until the next one. */
export class ReceiveBatch {
  readonly #slots: MessageSlots;
  #used = 0;

  constructor(shape: BatchShape) {
    this.#slots = new MessageSlots(shape);
  }

  /** All payloads; one of a slot begins at {@link offset} and has {@link length} octets. */
  get bytes(): Uint8Array<ArrayBuffer> {
    return this.#slots.payload;
  }

  /** Socket addresses, `nameBytes` each. */
  get names(): DataView<ArrayBuffer> {
    return this.#slots.names;
  }

  /** Ancillary data, `controlBytes` each. */
  get control(): DataView<ArrayBuffer> {
    return this.#slots.control;
  }

  /**
   * Takes what waits, up to the number of slots, without waiting. Returns how many slots are
   * filled, or the negative errno.
   */
  receive(descriptor: number): number {
    const slots = this.#slots;
    for (let slot = 0; slot < this.#used; slot++) slots.resetLengths(slot);
    this.#used = 0;
    const count = libc.recvmmsg(
      descriptor,
      slots.address(0),
      slots.shape.slots,
      MSG_DONTWAIT,
      null,
    );
    if (count >= 0) {
      this.#used = count;
      return count;
    }
    const errno = lastErrno();
    return errno === EAGAIN || errno === EINTR ? 0 : -errno;
  }

  offset(slot: number): number {
    return this.#slots.offset(slot);
  }

  length(slot: number): number {
    return this.#slots.headers.getUint32(slot * headerBytes + transferredAt, true);
  }

  /** Whether the payload was longer than its slot. */
  truncated(slot: number): boolean {
    return (this.#slots.headers.getUint32(slot * headerBytes + flagsAt, true) & MSG_TRUNC) !== 0;
  }

  /** Octets of ancillary data that came with the payload. */
  controlLength(slot: number): number {
    return this.#slots.headers.getUint32(slot * headerBytes + at.controlLength, true);
  }
}

/**
 * Datagrams to be sent together.
 *
 *   0 ······ sent ······ filled ······ slots
 *   │ gone     │ waiting     │ free      │      all gone: back to 0
 */
export class SendBatch {
  readonly #slots: MessageSlots;
  #sent = 0;
  #filled = 0;

  constructor(shape: BatchShape) {
    this.#slots = new MessageSlots(shape);
  }

  get full(): boolean {
    return this.#filled === this.#slots.shape.slots;
  }

  get waiting(): number {
    return this.#filled - this.#sent;
  }

  /** The first slot that waits. */
  get first(): number {
    return this.#sent;
  }

  /** Socket addresses, `nameBytes` each, to be filled in after {@link append}. */
  get names(): DataView<ArrayBuffer> {
    return this.#slots.names;
  }

  get control(): DataView<ArrayBuffer> {
    return this.#slots.control;
  }

  /** Copies a payload into the next slot and returns its number. The batch must not be full. */
  append(bytes: Uint8Array, from: number, length: number): number {
    const slot = this.#filled++;
    const slots = this.#slots;
    slots.payload.set(
      from === 0 && length === bytes.length ? bytes : bytes.subarray(from, from + length),
      slots.offset(slot),
    );
    slots.setPayloadLength(slot, length);
    return slot;
  }

  /**
   * Sends up to `count` of what waits, without waiting. Returns how many are gone; or the negative
   * errno with which the first of them was refused.
   */
  send(descriptor: number, count: number): number {
    const address = this.#slots.address(this.#sent);
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
  }
}
