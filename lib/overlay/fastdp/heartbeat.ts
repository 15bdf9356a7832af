import { readUint16, readUint64, writeUint16, writeUint64 } from "../../base/bytes.ts";
import { ethernetHeaderSize } from "../../wire/ethernet.ts";

/**
 * The frame by which a peer finds out whether its neighbour's datapath gets what it sends
 * (fastdp §2.4).
 *
 *   0                                  12      14                 22       24
 *   +----------------------------------+-------+------------------+--------+---------···
 *   | both addresses: zero             | 0     | connection UID   | length |  zeros
 *   +----------------------------------+-------+------------------+--------+---------···
 *
 * The length is that of the whole frame, modulo 2^16. A full heartbeat is as long as the longest
 * frame of a container, so that a path on which those do not fit never acknowledges one.
 */
const uidAt = ethernetHeaderSize;
const lengthAt = 22;
export const heartbeatMin = 24;

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

/** `length` is {@link heartbeatMin} at least. */
export function writeHeartbeat(connectionUid: bigint, length: number): Uint8Array {
  const frame = new Uint8Array(length);
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
