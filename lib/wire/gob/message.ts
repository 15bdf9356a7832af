import type { ByteWriter } from "../byte-writer.ts";

/** Writes a message: its length, and what `write` writes. */
export function writeMessage(out: ByteWriter, write: () => void): void {
  const at = out.length;
  out.byte(0);
  write();
  const length = out.length - at - 1;
  if (length < 128) {
    out.set(at, length);
    return;
  }
  // The length takes more than the one octet that was left for it.
  const size = length < 0x100 ? 1 : length < 0x10000 ? 2 : length < 0x1000000 ? 3 : 4;
  out.makeRoom(at + 1, size);
  out.set(at, 256 - size);
  for (let left = size; left > 0; left--)
    out.set(at + 1 + size - left, (length >>> (8 * (left - 1))) & 255);
}
