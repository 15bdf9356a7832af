import { readUint16, readUint32, writeUint16, writeUint32 } from "../../base/bytes.ts";
import { checksumAdd, checksumFinish } from "../../wire/checksum.ts";
import { ethernetTypeAt, etherType } from "../../wire/ethernet.ts";
import {
  ipv4ChecksumAt,
  ipv4HeaderLength,
  ipv4HeaderMin,
  ipv4IdentificationAt,
  ipv4ProtocolAt,
  ipv4TotalLengthAt,
} from "../../wire/ipv4.ts";
import { ipv6HeaderSize, ipv6PayloadLengthAt, isIpv6 } from "../../wire/ipv6.ts";
import {
  tcpChecksumAt,
  tcpFlag,
  tcpFlagsAt,
  tcpHeaderLength,
  tcpHeaderMin,
  tcpProtocol,
  tcpSequenceAt,
} from "../../wire/tcp.ts";
import {
  udpChecksum,
  udpChecksumAt,
  udpHeaderSize,
  udpLengthAt,
  udpProtocol,
} from "../../wire/udp.ts";
import { type FrameOffload, superFrameKind } from "../../wire/virtio-net-header.ts";
import { pseudoHeaderSum } from "./pseudo-header.ts";

/** Ethernet, tags, IP with options or extensions and TCP or UDP, together. */
export const headMax = 256;

const vlanTagSize = 4;
const vlanTagsMax = 2;
const stackedVlan = 0x88a8;

/**
 * The headers of a super-frame, from which those of its pieces are made:
 *
 *    at                packetAt          transportAt        size
 *   +-----------------+-----------------+------------------+
 *   | Ethernet, tags  |  IPv4 or IPv6   |   TCP or UDP     |  payload …
 *   +-----------------+-----------------+------------------+
 *                        lengths,          TCP: sequence, flags
 *                        IPv4: number,     UDP: length
 *                        checksum          both: checksum
 *
 * What the checksums of all pieces have in common is summed once.
 */
export class PieceHead {
  /** Octets of all headers; 0 after a frame that contradicts its description. */
  size = 0;
  readonly #octets = new Uint8Array(headMax);
  #template = this.#octets;
  #packetAt = 0;
  #transportAt = 0;
  #isIpv6 = false;
  #isTcp = false;
  #identification = 0;
  #sequence = 0;
  #flags = 0;
  #packetSum = 0;
  #transportSum = 0;

  /** Takes over the headers of a super-frame; false when they are not what `offload` says. */
  read(bytes: Uint8Array, at: number, length: number, offload: FrameOffload): boolean {
    this.size = this.#find(bytes, at, length, offload);
    if (this.size === 0) return false;
    this.#template = this.#octets.subarray(0, this.size);
    this.#template.set(bytes.subarray(at, at + this.size));
    if (this.#isIpv6) writeUint16(this.#template, this.#packetAt + ipv6PayloadLengthAt, 0);
    else this.#readIpv4();
    if (this.#isTcp) this.#readTcp();
    else writeUint32(this.#template, this.#transportAt + udpLengthAt, 0);
    const protocol = this.#isTcp ? tcpProtocol : udpProtocol;
    this.#transportSum = checksumAdd(
      pseudoHeaderSum(this.#template, this.#packetAt, this.#isIpv6, protocol),
      this.#template,
      this.#transportAt,
      this.size - this.#transportAt,
    );
    return true;
  }

  #find(bytes: Uint8Array, at: number, length: number, offload: FrameOffload): number {
    const { kind, checksumFrom: transportAt } = offload;
    this.#isTcp = kind === superFrameKind.tcpv4 || kind === superFrameKind.tcpv6;
    if (!this.#isTcp && kind !== superFrameKind.udp) return 0;
    const packetAt = packetOffset(bytes, at, length);
    if (packetAt === 0 || !this.#isPacket(bytes, at, length, packetAt, offload)) return 0;
    const transportMin = this.#isTcp ? tcpHeaderMin : udpHeaderSize;
    const headEnd = Math.min(length, headMax);
    if (transportAt + transportMin > headEnd) return 0;
    const transport = this.#isTcp ? tcpHeaderLength(bytes, at + transportAt) : udpHeaderSize;
    if (transport < transportMin || transportAt + transport > headEnd) return 0;
    this.#packetAt = packetAt;
    this.#transportAt = transportAt;
    return transportAt + transport;
  }

  /** Whether the IP header is there and ends where the transport header begins. */
  #isPacket(
    bytes: Uint8Array,
    at: number,
    length: number,
    packetAt: number,
    { kind, checksumFrom }: FrameOffload,
  ): boolean {
    const type = readUint16(bytes, at + packetAt - 2);
    this.#isIpv6 = type === etherType.ipv6;
    if (this.#isIpv6) {
      // Extension headers may lie between; the kernel has said where they end.
      const fixedEnd = packetAt + ipv6HeaderSize;
      const isRight = kind !== superFrameKind.tcpv4 && checksumFrom >= fixedEnd;
      return isRight && isIpv6(bytes, at + packetAt, length - packetAt);
    }
    if (type !== etherType.ipv4 || kind === superFrameKind.tcpv6) return false;
    if (length < packetAt + ipv4HeaderMin) return false;
    const header = ipv4HeaderLength(bytes, at + packetAt);
    const protocol = this.#isTcp ? tcpProtocol : udpProtocol;
    return (
      header >= ipv4HeaderMin &&
      checksumFrom === packetAt + header &&
      bytes[at + packetAt + ipv4ProtocolAt] === protocol
    );
  }

  #readIpv4(): void {
    const template = this.#template;
    const packetAt = this.#packetAt;
    this.#identification = readUint16(template, packetAt + ipv4IdentificationAt);
    // Both fields in one.
    writeUint32(template, packetAt + ipv4TotalLengthAt, 0);
    writeUint16(template, packetAt + ipv4ChecksumAt, 0);
    this.#packetSum = checksumAdd(0, template, packetAt, this.#transportAt - packetAt);
  }

  #readTcp(): void {
    const template = this.#template;
    const transportAt = this.#transportAt;
    this.#sequence = readUint32(template, transportAt + tcpSequenceAt);
    this.#flags = template[transportAt + tcpFlagsAt]!;
    writeUint32(template, transportAt + tcpSequenceAt, 0);
    template[transportAt + tcpFlagsAt] = 0;
    writeUint16(template, transportAt + tcpChecksumAt, 0);
  }

  /**
   * Writes the headers of a piece at `at`, before its `payload` octets. `piece` counts from 0, and
   * `offset` is where its payload was in the super-frame's.
   */
  write(
    bytes: Uint8Array,
    at: number,
    { piece, offset, payload, isLast }: PieceOfSuperFrame,
  ): void {
    bytes.set(this.#template, at);
    const packetAt = at + this.#packetAt;
    const transportAt = at + this.#transportAt;
    if (this.#isIpv6) {
      const behindFixed = this.size + payload - this.#packetAt - ipv6HeaderSize;
      writeUint16(bytes, packetAt + ipv6PayloadLengthAt, behindFixed);
    } else {
      const total = this.size + payload - this.#packetAt;
      const identification = (this.#identification + piece) & 0xffff;
      writeUint16(bytes, packetAt + ipv4TotalLengthAt, total);
      writeUint16(bytes, packetAt + ipv4IdentificationAt, identification);
      const sum = checksumFinish(this.#packetSum + total + identification);
      writeUint16(bytes, packetAt + ipv4ChecksumAt, sum);
    }
    const transport = this.size - this.#transportAt + payload;
    const sum = checksumAdd(this.#transportSum + transport, bytes, at + this.size, payload);
    if (this.#isTcp) this.#writeTcp(bytes, transportAt, sum, piece, offset, isLast);
    else {
      writeUint16(bytes, transportAt + udpLengthAt, transport);
      const finished = udpChecksum(checksumFinish(sum + transport));
      writeUint16(bytes, transportAt + udpChecksumAt, finished);
    }
  }

  #writeTcp(
    bytes: Uint8Array,
    transportAt: number,
    sum: number,
    piece: number,
    offset: number,
    isLast: boolean,
  ): void {
    const sequence = (this.#sequence + offset) >>> 0;
    const dropped = (piece > 0 ? tcpFlag.reduced : 0) | (isLast ? 0 : tcpFlag.fin | tcpFlag.push);
    const flags = this.#flags & ~dropped;
    writeUint32(bytes, transportAt + tcpSequenceAt, sequence);
    bytes[transportAt + tcpFlagsAt] = flags;
    writeUint16(bytes, transportAt + tcpChecksumAt, checksumFinish(sum + sequence + flags));
  }
}

/** Which part of a super-frame a piece is. */
export interface PieceOfSuperFrame {
  readonly piece: number;
  readonly offset: number;
  readonly payload: number;
  readonly isLast: boolean;
}

/** Where the packet begins, behind Ethernet header and tags; 0 when the frame ends before. */
function packetOffset(bytes: Uint8Array, at: number, length: number): number {
  let typeAt = ethernetTypeAt;
  for (let tags = 0; tags <= vlanTagsMax && typeAt + 2 <= length; tags++) {
    const type = readUint16(bytes, at + typeAt);
    if (type !== etherType.vlan && type !== stackedVlan) return typeAt + 2;
    typeAt += vlanTagSize;
  }
  return 0;
}
