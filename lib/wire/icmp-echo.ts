import { readUint16, writeUint16 } from "../base/bytes.ts";
import { checksum } from "./checksum.ts";

/**
 * ICMP echo (RFC 792): what `ping` sends, and what comes back.
 *
 *    0               1               2               3
 *   +---------------+---------------+-------------------------------+
 *   | type: 8 or 0  |    code: 0    |           checksum            |
 *   +---------------+---------------+-------------------------------+
 *   |           identifier          |        sequence number        |
 *   +-------------------------------+-------------------------------+
 *   |                      data, sent back as it came               |
 *   +---------------------------------------------------------------+
 */
const headerSize = 8;
const echoRequest = 8;
const echoReply = 0;

export interface Echo {
  readonly identifier: number;
  readonly sequence: number;
}

/** A request with `dataSize` octets of data. */
export function encodeEchoRequest({ identifier, sequence }: Echo, dataSize: number): Uint8Array {
  const bytes = new Uint8Array(headerSize + dataSize);
  bytes[0] = echoRequest;
  writeUint16(bytes, 4, identifier);
  writeUint16(bytes, 6, sequence);
  for (let at = headerSize; at < bytes.length; at++) bytes[at] = at;
  writeUint16(bytes, 2, checksum(bytes, 0, bytes.length));
  return bytes;
}

/** `undefined` for anything but an undamaged reply. */
export function decodeEchoReply(bytes: Uint8Array): Echo | undefined {
  if (bytes.length < headerSize || bytes[0] !== echoReply || bytes[1] !== 0) return undefined;
  if (checksum(bytes, 0, bytes.length) !== 0) return undefined;
  return { identifier: readUint16(bytes, 4), sequence: readUint16(bytes, 6) };
}
