import { concatBytes, fromUtf8, utf8 } from "../../base/bytes.ts";
import { WeaveError } from "../../base/errors.ts";
import { type IpAddress, ipFromBytes } from "../../base/ip.ts";

/**
 * Netlink messages (RFC 3549 §2.3.2, linux/netlink.h). Numbers are in the machine's byte order,
 * which is little-endian on every system this program runs on; attributes that are big-endian say
 * so in their name.
 *
 *   nlmsghdr (16)                                    attribute, padded to 4
 *   +----------+---------+----------+--------+------+   +-----------+---------+----------+-----+
 *   | length 4 | type 2  | flags 2  | seq 4  | port |   | length 2  | type 2  | payload  | pad |
 *   +----------+---------+----------+--------+------+   +-----------+---------+----------+-----+
 *   then the family's fixed header, then attributes      length counts the 4 octets of itself;
 *                                                        bit 15 of type: holds attributes
 */
export const headerBytes = 16;
export const attributeNested = 0x8000;

export const flags = {
  request: 0x1,
  multi: 0x2,
  ack: 0x4,
  echo: 0x8,
  dumpInterrupted: 0x10,
  dump: 0x300,
  replace: 0x100,
  exclusive: 0x200,
  create: 0x400,
  append: 0x800,
} as const;

export const messageType = { error: 2, done: 3, overrun: 4 } as const;

/** One message as received: `body` begins with the family's fixed header. */
export interface NetlinkMessage {
  readonly type: number;
  readonly flags: number;
  readonly sequence: number;
  readonly body: Uint8Array;
}

export function encodeMessage(
  type: number,
  messageFlags: number,
  sequence: number,
  body: Uint8Array,
): Uint8Array {
  const bytes = new Uint8Array(headerBytes + align(body.length));
  const view = new DataView(bytes.buffer);
  view.setUint32(0, headerBytes + body.length, true);
  view.setUint16(4, type, true);
  view.setUint16(6, messageFlags, true);
  view.setUint32(8, sequence, true);
  bytes.set(body, headerBytes);
  return bytes;
}

/** All messages of one datagram. @throws WeaveError `NETLINK_FORMAT` */
export function decodeMessages(datagram: Uint8Array): NetlinkMessage[] {
  const messages: NetlinkMessage[] = [];
  const view = viewOf(datagram);
  for (let at = 0; at < datagram.length; ) {
    const length = at + headerBytes <= datagram.length ? view.getUint32(at, true) : 0;
    if (length < headerBytes || at + length > datagram.length) throw malformed("message", at);
    messages.push({
      type: view.getUint16(at + 4, true),
      flags: view.getUint16(at + 6, true),
      sequence: view.getUint32(at + 8, true),
      body: datagram.subarray(at + headerBytes, at + length),
    });
    at += align(length);
  }
  return messages;
}

export function attribute(type: number, payload: Uint8Array): Uint8Array {
  const length = 4 + payload.length;
  const bytes = new Uint8Array(align(length));
  // There may be very many, and octets are written sooner than a view of them is made.
  bytes[0] = length;
  bytes[1] = length >>> 8;
  bytes[2] = type;
  bytes[3] = type >>> 8;
  bytes.set(payload, 4);
  return bytes;
}

export function nested(type: number, ...attributes: readonly Uint8Array[]): Uint8Array {
  return attribute(type | attributeNested, concatBytes(...attributes));
}

/** A string attribute with its final zero octet. */
export function text(type: number, value: string): Uint8Array {
  return attribute(type, utf8(`${value}\0`));
}

export function uint8(type: number, value: number): Uint8Array {
  return attribute(type, Uint8Array.of(value));
}

export function uint16(type: number, value: number): Uint8Array {
  return attribute(type, Uint8Array.of(value, value >>> 8));
}

export function uint32(type: number, value: number): Uint8Array {
  return attribute(type, Uint8Array.of(value, value >>> 8, value >>> 16, value >>> 24));
}

export function uint32BigEndian(type: number, value: number): Uint8Array {
  return attribute(type, Uint8Array.of(value >>> 24, value >>> 16, value >>> 8, value));
}

export function uint16BigEndian(type: number, value: number): Uint8Array {
  return attribute(type, Uint8Array.of(value >>> 8, value));
}

export function uint64BigEndian(type: number, value: number): Uint8Array {
  const bytes = new Uint8Array(8);
  viewOf(bytes).setBigUint64(0, BigInt(value));
  return attribute(type, bytes);
}

/** Attributes in their order, for lists in which it counts. @throws WeaveError `NETLINK_FORMAT` */
export function* eachAttribute(
  bytes: Uint8Array,
): Generator<{ readonly type: number; readonly payload: Uint8Array }> {
  const view = viewOf(bytes);
  for (let at = 0; at + 4 <= bytes.length; ) {
    const length = view.getUint16(at, true);
    if (length < 4 || at + length > bytes.length) throw malformed("attribute", at);
    yield {
      type: view.getUint16(at + 2, true) & 0x3fff,
      payload: bytes.subarray(at + 4, at + length),
    };
    at += align(length);
  }
}

/**
 * The payload of the first attribute of a type, which may be that of an attribute itself: for messages
 * of which there are very many. `undefined` in nothing as well.
 *
 * @throws WeaveError `NETLINK_FORMAT`
 */
export function findAttribute(bytes: Uint8Array | undefined, type: number): Uint8Array | undefined {
  if (bytes === undefined) return undefined;
  for (let at = 0; at + 4 <= bytes.length; ) {
    const length = bytes[at]! | (bytes[at + 1]! << 8);
    if (length < 4 || at + length > bytes.length) throw malformed("attribute", at);
    const found = (bytes[at + 2]! | (bytes[at + 3]! << 8)) & 0x3fff;
    if (found === type) return bytes.subarray(at + 4, at + length);
    at += align(length);
  }
  return undefined;
}

/** Attributes by type; of repeated ones all are kept, in order. */
export class Attributes {
  readonly #byType = new Map<number, Uint8Array[]>();

  /** @throws WeaveError `NETLINK_FORMAT` */
  constructor(bytes: Uint8Array) {
    for (const { type, payload } of eachAttribute(bytes)) {
      const same = this.#byType.get(type);
      if (same === undefined) this.#byType.set(type, [payload]);
      else same.push(payload);
    }
  }

  bytes(type: number): Uint8Array | undefined {
    return this.#byType.get(type)?.[0];
  }

  all(type: number): readonly Uint8Array[] {
    return this.#byType.get(type) ?? [];
  }

  /** The payloads of all attributes, whatever their types. */
  values(): Uint8Array[] {
    return [...this.#byType.values()].flat();
  }

  has(type: number): boolean {
    return this.#byType.has(type);
  }

  /** Attributes inside an attribute; none when it is missing. */
  nested(type: number): Attributes {
    return new Attributes(this.bytes(type) ?? new Uint8Array(0));
  }

  text(type: number): string | undefined {
    const payload = this.bytes(type);
    if (payload === undefined) return undefined;
    const end = payload.indexOf(0);
    return fromUtf8(end < 0 ? payload : payload.subarray(0, end));
  }

  uint8(type: number): number | undefined {
    return this.bytes(type)?.[0];
  }

  uint16(type: number): number | undefined {
    const payload = this.bytes(type);
    return payload === undefined || payload.length < 2
      ? undefined
      : viewOf(payload).getUint16(0, true);
  }

  uint32(type: number): number | undefined {
    const payload = this.bytes(type);
    return payload === undefined || payload.length < 4
      ? undefined
      : viewOf(payload).getUint32(0, true);
  }

  /** An address of the family that its length tells; `undefined` for any other length. */
  ip(type: number): IpAddress | undefined {
    const payload = this.bytes(type);
    const isAddress = payload?.length === 4 || payload?.length === 16;
    return payload !== undefined && isAddress ? ipFromBytes(payload) : undefined;
  }

  uint16BigEndian(type: number): number | undefined {
    const payload = this.bytes(type);
    return payload === undefined || payload.length < 2 ? undefined : viewOf(payload).getUint16(0);
  }

  uint32BigEndian(type: number): number | undefined {
    const payload = this.bytes(type);
    return payload === undefined || payload.length < 4 ? undefined : viewOf(payload).getUint32(0);
  }

  uint64BigEndian(type: number): bigint | undefined {
    const payload = this.bytes(type);
    return payload === undefined || payload.length < 8
      ? undefined
      : viewOf(payload).getBigUint64(0);
  }
}

/**
 * The attributes behind a fixed header of `fixedBytes`, which is then known to be whole.
 *
 * @throws WeaveError `NETLINK_FORMAT`
 */
export function attributesBehind(fixedBytes: number, body: Uint8Array): Attributes {
  if (body.length < fixedBytes) throw malformed("header", 0);
  return new Attributes(body.subarray(fixedBytes));
}

/** A view of exactly these octets, whatever buffer they lie in. */
export function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

function align(length: number): number {
  return (length + 3) & ~3;
}

/** For octets that no kernel sends. */
export function malformed(what: string, at: number): WeaveError {
  return new WeaveError(
    "NETLINK_FORMAT",
    `netlink ${what} at octet ${at} has an impossible length`,
  );
}
