import { writeUint16 } from "../../base/bytes.ts";
import { checksumAdd, checksumFinish } from "../../wire/checksum.ts";
import { udpChecksum } from "../../wire/udp.ts";
import type { FrameOffload } from "../../wire/virtio-net-header.ts";

/**
 * Finishes a checksum that a sender left to its network card: the field holds the sum of the pseudo
 * header, which is added to that of everything behind. False when the frame is too short for it.
 */
export function finishChecksum(
  bytes: Uint8Array,
  at: number,
  length: number,
  { checksumFrom, checksumField }: FrameOffload,
): boolean {
  const field = checksumFrom + checksumField;
  if (checksumFrom > length || field + 2 > length) return false;
  const sum = checksumFinish(checksumAdd(0, bytes, at + checksumFrom, length - checksumFrom));
  // For TCP both zeros mean the same, for UDP only this one is a checksum.
  writeUint16(bytes, at + field, udpChecksum(sum));
  return true;
}
