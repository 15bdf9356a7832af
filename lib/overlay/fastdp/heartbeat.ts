import { readUint16, readUint64, writeUint16, writeUint64 } from "../../base/bytes.ts";
import { ethernetHeaderSize } from "../../wire/ethernet.ts";

/**
 * The frame by which a peer finds out whether its neighbour's datapath gets what it sends
 * (fastdp §2.4).
 *
 *   0                                  12      14                 22       24
 *   +----------------------------------+-------+------------------+--------+-----+------···
 *   | both addresses: zero             | 0     | connection UID   | length | ask |  zeros
 *   +----------------------------------+-------+------------------+--------+-----+------···
 *
 * The length is that of the whole frame, modulo 2^16. A full heartbeat is as long as the longest
 * frame of a container, so that a path on which those do not fit never acknowledges one. Between
 * peers of our own kind `ask` is 1 where the sender wants to hear that this one came; else 0.
 */
const uidAt = ethernetHeaderSize;
const lengthAt = 22;
const askAt = 24;
export const heartbeatMin = 24;
/** So many octets say all that a heartbeat says. */
export const heartbeatHeadBytes = 25;

/**
 * The brief heartbeats between peers of our own kind, which only say that the path is alive: as
 * long as the shortest frame on a real wire. A full one is always longer.
 */
export const briefHeartbeatLength = 60;

export function isFullHeartbeat(length: number): boolean {
  return length > briefHeartbeatLength;
}

/** As long as the longest frame where IP packets may have `mtu` octets. */
export function fullHeartbeatLength(mtu: number): number {
  return ethernetHeaderSize + mtu;
}

/** The MTU whose longest frame this is. */
export function mtuOfHeartbeat(length: number): number {
  return length - ethernetHeaderSize;
}

/** `length` is {@link heartbeatMin} at least, and {@link heartbeatHeadBytes} for one that asks. */
export function writeHeartbeat(connectionUid: bigint, length: number, asks = false): Uint8Array {
  const frame = new Uint8Array(length);
  if (asks) frame[askAt] = 1;
  writeUint64(frame, uidAt, connectionUid);
  writeUint16(frame, lengthAt, length);
  return frame;
}

/**
 * Whether a frame of `length` octets, which begins with `frame`, is a whole heartbeat of the
 * connection.
 */
export function isHeartbeatOf(connectionUid: bigint, frame: Uint8Array, length: number): boolean {
  if (length < heartbeatMin || frame.length < heartbeatMin) return false;
  for (let at = 0; at < uidAt; at++) if (frame[at] !== 0) return false;
  return (
    readUint16(frame, lengthAt) === (length & 0xffff) && readUint64(frame, uidAt) === connectionUid
  );
}

/** Whether the sender of a heartbeat wants to hear that it came. */
export function asksForAnswer(frame: Uint8Array): boolean {
  return frame[askAt] === 1;
}
