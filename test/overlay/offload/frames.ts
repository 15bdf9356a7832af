import fc from "fast-check";
import { concatBytes, fromHex } from "../../../lib/base/bytes.ts";
import { type FrameOffload, superFrameKind } from "../../../lib/wire/virtio-net-header.ts";

/** Frames and super-frames put together octet by octet, without the code under test. */
export interface Packet {
  readonly isIpv6: boolean;
  readonly isTcp: boolean;
  readonly payload: Uint8Array;
  /** Tags between the addresses and the type, hex. */
  readonly tags?: string;
  /** Default ACK. */
  readonly flags?: number;
  readonly sequence?: number;
  readonly acknowledgement?: number;
  readonly window?: number;
  readonly identification?: number;
  /** TCP options, hex, a multiple of 4 octets. */
  readonly options?: string;
  /** IPv4 options, hex, a multiple of 4 octets. */
  readonly packetOptions?: string;
  readonly sourcePort?: number;
}

const macs = "fe4100000002fe4100000001";
const addresses4 = "0a0201070a020104";
const addresses6 = "fd000000000000000000000000000007fd000000000000000000000000000004";

const hex = (value: number, digits: number): string => value.toString(16).padStart(digits, "0");

function sumOf(bytes: Uint8Array): number {
  let sum = 0;
  for (let i = 0; i < bytes.length; i += 2) {
    sum += (bytes[i]! << 8) | (bytes[i + 1] ?? 0);
    sum = (sum & 0xffff) + (sum >>> 16);
  }
  return sum;
}

function withSum(bytes: Uint8Array, field: number, sum: number): Uint8Array {
  const copy = bytes.slice();
  copy[field] = sum >>> 8;
  copy[field + 1] = sum;
  return copy;
}

const head = ({ tags = "", isIpv6 }: Packet): Uint8Array =>
  fromHex(`${macs}${tags}${isIpv6 ? "86dd" : "0800"}`);

function packetHeader(packet: Packet, transport: number): Uint8Array {
  const protocol = packet.isTcp ? "06" : "11";
  if (packet.isIpv6) return fromHex(`60012345${hex(transport, 4)}${protocol}40${addresses6}`);
  const options = packet.packetOptions ?? "";
  const words = 5 + options.length / 8;
  const total = words * 4 + transport;
  const header = fromHex(
    `4${words}00${hex(total, 4)}${hex(packet.identification ?? 1, 4)}400040${protocol}0000${addresses4}${options}`,
  );
  return withSum(header, 10, ~sumOf(header) & 0xffff);
}

function transportHeader(packet: Packet): Uint8Array {
  const ports = `${hex(packet.sourcePort ?? 40_000, 4)}1451`;
  if (!packet.isTcp) return fromHex(`${ports}${hex(8 + packet.payload.length, 4)}0000`);
  const { sequence = 1000, acknowledgement = 77, flags = 0x10, window = 501 } = packet;
  const options = packet.options ?? "0101080a0000000100000002";
  const words = hex(5 + options.length / 8, 1);
  return fromHex(
    `${ports}${hex(sequence, 8)}${hex(acknowledgement, 8)}${words}0${hex(flags, 2)}${hex(window, 4)}00000000${options}`,
  );
}

function pseudoHeader(packet: Packet, transport: number): Uint8Array {
  const addresses = packet.isIpv6 ? addresses6 : addresses4;
  return fromHex(`${addresses}${hex(transport, 8)}000000${packet.isTcp ? "06" : "11"}`);
}

const fieldOf = (packet: Packet): number => (packet.isTcp ? 16 : 6);

/** The packet as one frame with all checksums, of any length. */
export function frameOf(packet: Packet): Uint8Array {
  const transport = concatBytes(transportHeader(packet), packet.payload);
  const sum = ~sumOf(concatBytes(pseudoHeader(packet, transport.length), transport)) & 0xffff;
  const finished = withSum(transport, fieldOf(packet), packet.isTcp || sum !== 0 ? sum : 0xffff);
  return concatBytes(head(packet), packetHeader(packet, transport.length), finished);
}

/** The packet as a sender leaves it to its network card, to be cut at `segmentSize` (0: not). */
export function unfinished(
  packet: Packet,
  segmentSize: number,
): { bytes: Uint8Array; offload: FrameOffload } {
  const transport = concatBytes(transportHeader(packet), packet.payload);
  const partial = withSum(
    transport,
    fieldOf(packet),
    sumOf(pseudoHeader(packet, transport.length)),
  );
  const front = concatBytes(head(packet), packetHeader(packet, transport.length));
  const { none, tcpv4, tcpv6, udp } = superFrameKind;
  const kind = packet.isTcp ? (packet.isIpv6 ? tcpv6 : tcpv4) : udp;
  return {
    bytes: concatBytes(front, partial),
    offload: {
      kind: segmentSize === 0 ? none : kind,
      segmentSize,
      checksumFrom: front.length,
      checksumField: fieldOf(packet),
    },
  };
}

/** What the super-frame has to become, by plain arithmetic. */
export function piecesOf(packet: Packet, segmentSize: number): Uint8Array[] {
  const pieces: Uint8Array[] = [];
  const { sequence = 1000, identification = 1, flags = 0x10, payload } = packet;
  for (let from = 0; from < payload.length; from += segmentSize) {
    const isLast = from + segmentSize >= payload.length;
    pieces.push(
      frameOf({
        ...packet,
        payload: payload.subarray(from, from + segmentSize),
        sequence: (sequence + from) >>> 0,
        identification: (identification + pieces.length) & 0xffff,
        flags: flags & ~(from > 0 ? 0x80 : 0) & ~(isLast ? 0 : 0x09),
      }),
    );
  }
  return pieces;
}

/** Any packet that may be a super-frame; sizes up to what one IP packet holds. */
export const anyPacket: fc.Arbitrary<{ packet: Packet; segmentSize: number }> = fc
  .record({
    isIpv6: fc.boolean(),
    isTcp: fc.boolean(),
    octets: fc.integer({ min: 1, max: 20_000 }),
    seed: fc.integer({ min: 1, max: 0xffff }),
    sequence: fc.nat(0xffffffff),
    identification: fc.nat(0xffff),
    flags: fc.constantFrom(0x10, 0x18, 0x11, 0x90, 0x98, 0x50),
    tags: fc.constantFrom("", "81000005", "88a8000781000005"),
    options: fc.constantFrom("", "0101080a0000000100000002", "01010101"),
    segmentSize: fc.integer({ min: 50, max: 9000 }),
  })
  .map(({ octets, seed, segmentSize, ...packet }) => ({
    packet: { ...packet, payload: noise(octets, seed) },
    segmentSize,
  }));

export function noise(octets: number, seed: number): Uint8Array {
  let state = seed;
  return Uint8Array.from({ length: octets }, () => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
    return state >>> 16;
  });
}
