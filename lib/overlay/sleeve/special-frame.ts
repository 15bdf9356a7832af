import { readUint16, readUint32, writeUint64 } from "../../base/bytes.ts";
import { ethernetHeaderSize, ethernetTypeAt } from "../../wire/ethernet.ts";

/**
 * Frames of the link itself, among those it carries (sleeve §5): both MACs and the type are zero,
 * and the length alone tells what they are.
 *
 *    0              14          22                              n
 *   +--------------+-----------+
 *   |  14 zeros    |  link uid |          heartbeat, 22 octets
 *   +--------------+-----------+--------------------------------+
 *   |  zeros only                                               |
 *   +-----------------------------------------------------------+
 *     n = 60001: fragmentation test, "does a datagram that the IP stack fragments get through?"
 *     else:      MTU test for n − 14, "does a packet of this size get through unfragmented?"
 */
export const heartbeatSize = 22;
export const fragmentationTestSize = 60_001;

/** Larger than any ordinary path: sent only to make the kernel tell the path MTU it believes in. */
export const pathMtuTriggerSize = 60_000;

export type SpecialKind = "heartbeat" | "fragmentationTest" | "mtuTest";

/**
 * What a frame of at least 14 octets is; `undefined` for an ordinary one. A test whose octets are
 * not all zero is none of ours and counts as `"spoilt"`.
 */
export function specialKind(
  bytes: Uint8Array,
  at: number,
  length: number,
): SpecialKind | "spoilt" | undefined {
  if (readUint16(bytes, at + ethernetTypeAt) !== 0 || !allZero(bytes, at, ethernetTypeAt)) {
    return undefined;
  }
  if (length === heartbeatSize) return "heartbeat";
  if (!allZero(bytes, at, length)) return "spoilt";
  return length === fragmentationTestSize ? "fragmentationTest" : "mtuTest";
}

/** The MTU that an MTU test of this frame length asks about. */
export function mtuTested(length: number): number {
  return length - ethernetHeaderSize;
}

/** Whether an MTU can be asked about at all: two lengths mean something else. */
export function mtuTestable(mtu: number): boolean {
  const length = mtu + ethernetHeaderSize;
  return length !== heartbeatSize && length !== fragmentationTestSize;
}

/** The heartbeat of a link; its uid is the same at both ends. */
export function heartbeatFrame(connectionUid: bigint): Uint8Array {
  const frame = new Uint8Array(heartbeatSize);
  writeUint64(frame, ethernetHeaderSize, connectionUid);
  return frame;
}

function allZero(bytes: Uint8Array, at: number, length: number): boolean {
  const end = at + length;
  let i = at;
  for (; i + 4 <= end; i += 4) if (readUint32(bytes, i) !== 0) return false;
  for (; i < end; i++) if (bytes[i] !== 0) return false;
  return true;
}
