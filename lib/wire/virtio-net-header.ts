/**
 * What the kernel says about a frame that a network card would finish (virtio 1.2 §5.1.6), before
 * the frame itself. Packet sockets with `PACKET_VNET_HDR` use it in both directions; numbers are in
 * the machine's order, little-endian on all we run on.
 *
 *    0       1       2            4            6               8                10
 *   +-------+-------+------------+------------+---------------+----------------+
 *   | flags |  kind | header     | segment    | checksum      | checksum field |
 *   |       |       | length     | size       | from          | behind "from"  |
 *   +-------+-------+------------+------------+---------------+----------------+
 *
 *   flags 1: the checksum field holds the sum of the pseudo header only; add everything from "from"
 *   kind:    what the frame is to be cut into at the segment size, 0 when it stands for itself
 */
export const virtioNetHeaderSize = 10;

const needsChecksum = 1;
/** Says that the first segment may announce congestion (RFC 3168); the TCP header says it too. */
const ecn = 0x80;

export const superFrameKind = { none: 0, tcpv4: 1, tcpv6: 4, udp: 5 } as const;

/** What is left to do to a frame. Offsets count from the frame's first octet. */
export interface FrameOffload {
  /** One of {@link superFrameKind}; off the wire it may be any number up to 127. */
  readonly kind: number;
  /** Octets of payload in each segment but the last; meaningless without a kind. */
  readonly segmentSize: number;
  /** Where the unfinished checksum's run begins; 0 when no checksum is unfinished. */
  readonly checksumFrom: number;
  /** The checksum's place behind `checksumFrom`. */
  readonly checksumField: number;
}

export const noOffload: FrameOffload = {
  kind: superFrameKind.none,
  segmentSize: 0,
  checksumFrom: 0,
  checksumField: 0,
};

/** Reads into an object of the caller's, so that frames cost none. */
export function readVirtioNetHeader(
  view: DataView,
  at: number,
  into: { -readonly [Field in keyof FrameOffload]: FrameOffload[Field] },
): void {
  const isPartial = (view.getUint8(at) & needsChecksum) !== 0;
  into.kind = view.getUint8(at + 1) & ~ecn;
  into.segmentSize = view.getUint16(at + 4, true);
  into.checksumFrom = isPartial ? view.getUint16(at + 6, true) : 0;
  into.checksumField = isPartial ? view.getUint16(at + 8, true) : 0;
}

/** `headerLength`: octets before the payload, of use to the kernel for super-frames. */
export function writeVirtioNetHeader(
  view: DataView,
  at: number,
  offload: FrameOffload,
  headerLength: number,
): void {
  view.setUint8(at, offload.checksumFrom === 0 ? 0 : needsChecksum);
  view.setUint8(at + 1, offload.kind);
  view.setUint16(at + 2, headerLength, true);
  view.setUint16(at + 4, offload.segmentSize, true);
  view.setUint16(at + 6, offload.checksumFrom, true);
  view.setUint16(at + 8, offload.checksumField, true);
}
