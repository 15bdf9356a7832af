import { copyBytes, writeUint16 } from "../../base/bytes.ts";
import { ethernetFrameMin, ethernetHeaderSize } from "../../wire/ethernet.ts";
import {
  ipv4Flags,
  ipv4FlagsAt,
  ipv4HeaderLength,
  ipv4MoreFragments,
  ipv4OffsetMax,
  ipv4Seal,
  ipv4TotalLength,
  ipv4TotalLengthAt,
} from "../../wire/ipv4.ts";
import type { Frame } from "./datagram.ts";

/**
 * Divides the IPv4 packet of a frame into fragments that fit `mtu` (RFC 791 §3.2, sleeve §9.2).
 *
 *   [Ethernet][IP header][ payload ................................ ]
 *
 *   [Ethernet][IP header, MF, offset   ][ multiple of 8 octets ]
 *   [Ethernet][IP header, MF, offset + ][ the same             ]
 *   [Ethernet][IP header, MF as before ][ rest ][ zeros to 60  ]
 *
 * Every piece is built in `scratch` (at least `mtu + 60` octets) and handed to `emit` before the
 * next one is built.
 *
 * @returns how many pieces were emitted; 0 when the packet cannot be divided because it claims more
 * octets than the frame has, its fragments would leave the offset's range, or `mtu` is too small
 */
export function fragment(
  frame: Frame,
  mtu: number,
  scratch: Uint8Array,
  emit: (piece: Frame) => void,
): number {
  const { bytes, at } = frame;
  const packetAt = at + ethernetHeaderSize;
  const header = ipv4HeaderLength(bytes, packetAt);
  const available = frame.length - ethernetHeaderSize;
  const total = ipv4TotalLength(bytes, packetAt, available);
  const payload = total - header;
  const step = (mtu - header) & ~7;
  const flags = ipv4Flags(bytes, packetAt);
  const offset = flags & ipv4OffsetMax;
  const kept = flags & ~(ipv4MoreFragments | ipv4OffsetMax);
  if (total > available || step <= 0 || offset + ((payload - 1) >> 3) > ipv4OffsetMax) return 0;

  const headSize = ethernetHeaderSize + header;
  copyBytes(scratch, 0, bytes, at, headSize);
  const piece = { bytes: scratch, at: 0, length: 0 };
  let pieces = 0;
  for (let from = 0; from < payload; from += step, pieces++) {
    const size = Math.min(step, payload - from);
    const more = from + size < payload ? ipv4MoreFragments : flags & ipv4MoreFragments;
    writeUint16(scratch, ethernetHeaderSize + ipv4TotalLengthAt, header + size);
    writeUint16(scratch, ethernetHeaderSize + ipv4FlagsAt, kept | more | (offset + (from >> 3)));
    ipv4Seal(scratch, ethernetHeaderSize);
    copyBytes(scratch, headSize, bytes, packetAt + header + from, size);
    piece.length = headSize + size;
    if (piece.length < ethernetFrameMin) {
      scratch.fill(0, piece.length, ethernetFrameMin);
      piece.length = ethernetFrameMin;
    }
    emit(piece);
  }
  return pieces;
}
