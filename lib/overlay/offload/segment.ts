import { readUint16, readUint32 } from "../../base/bytes.ts";
import { checksum, checksumAdd, checksumFinish } from "../../wire/checksum.ts";
import { ethernetHeaderSize, ethernetTypeAt, etherType } from "../../wire/ethernet.ts";
import {
  ipv4Flags,
  ipv4HeaderLength,
  ipv4HeaderMin,
  ipv4IdentificationAt,
  ipv4MoreFragments,
  ipv4OffsetMax,
  ipv4ProtocolAt,
  ipv4TotalLengthAt,
} from "../../wire/ipv4.ts";
import { ipv6HeaderSize, ipv6NextHeaderAt, ipv6PayloadLength, isIpv6 } from "../../wire/ipv6.ts";
import {
  tcpFlag,
  tcpFlagsAt,
  tcpHeaderLength,
  tcpHeaderMin,
  tcpProtocol,
  tcpSequenceAt,
} from "../../wire/tcp.ts";
import { udpChecksumAt, udpHeaderSize, udpLengthAt, udpProtocol } from "../../wire/udp.ts";
import { pseudoHeaderSum } from "./pseudo-header.ts";

/**
 * What the coalescer has to know of one frame. One object serves all frames.
 *
 *   none      no TCP or UDP, or a fragment: nobody knows which flow it belongs to
 *   flow      of a flow, but not to be merged: a flag, options of IP, no payload, padding, …
 *   segment   one piece of a possible super-frame
 */
export type SegmentKind = "none" | "flow" | "segment";

const etherPacketAt = ethernetHeaderSize;

export class Segment {
  kind: SegmentKind = "none";
  isIpv6 = false;
  isTcp = false;
  /** Offsets from the frame's first octet. */
  transportAt = 0;
  headSize = 0;
  /** Octets behind the headers. */
  payload = 0;
  sequence = 0;
  /** The IPv4 identification; 0 for IPv6. */
  identification = 0;
  /** TCP asks for delivery: nothing is to be merged behind it. */
  isPushed = false;

  read(bytes: Uint8Array, at: number, length: number): void {
    this.kind = "none";
    const protocol = this.#packet(bytes, at, length);
    this.isTcp = protocol === tcpProtocol;
    if (!this.isTcp && protocol !== udpProtocol) return;
    if (this.transportAt + (this.isTcp ? tcpHeaderMin : udpHeaderSize) > length) return;
    this.kind = "flow";
    if (!this.#isWholePacket(bytes, at, length)) return;
    const isMergeable = this.isTcp
      ? this.#tcp(bytes, at, length)
      : this.#udp(bytes, at + this.transportAt, length);
    if (isMergeable) this.kind = "segment";
  }

  /** Finds the transport header; returns its protocol, or -1. */
  #packet(bytes: Uint8Array, at: number, length: number): number {
    const packetAt = at + etherPacketAt;
    const available = length - etherPacketAt;
    if (available < ipv4HeaderMin) return -1;
    const type = readUint16(bytes, at + ethernetTypeAt);
    this.isIpv6 = type === etherType.ipv6;
    if (this.isIpv6) {
      if (!isIpv6(bytes, packetAt, available)) return -1;
      this.transportAt = etherPacketAt + ipv6HeaderSize;
      this.identification = 0;
      return bytes[packetAt + ipv6NextHeaderAt]!;
    }
    if (type !== etherType.ipv4 || bytes[packetAt]! >>> 4 !== 4) return -1;
    if ((ipv4Flags(bytes, packetAt) & (ipv4MoreFragments | ipv4OffsetMax)) !== 0) return -1;
    this.transportAt = etherPacketAt + ipv4HeaderLength(bytes, packetAt);
    this.identification = readUint16(bytes, packetAt + ipv4IdentificationAt);
    return bytes[packetAt + ipv4ProtocolAt]!;
  }

  /** Whether the packet fills the frame, and its header is one that may be written anew. */
  #isWholePacket(bytes: Uint8Array, at: number, length: number): boolean {
    const packetAt = at + etherPacketAt;
    if (this.isIpv6) {
      return ipv6PayloadLength(bytes, packetAt) === length - this.transportAt;
    }
    return (
      this.transportAt === etherPacketAt + ipv4HeaderMin &&
      readUint16(bytes, packetAt + ipv4TotalLengthAt) === length - etherPacketAt &&
      checksum(bytes, packetAt, ipv4HeaderMin) === 0
    );
  }

  #tcp(bytes: Uint8Array, at: number, length: number): boolean {
    const transportAt = at + this.transportAt;
    const header = tcpHeaderLength(bytes, transportAt);
    this.headSize = this.transportAt + header;
    this.payload = length - this.headSize;
    this.sequence = readUint32(bytes, transportAt + tcpSequenceAt);
    const flags = bytes[transportAt + tcpFlagsAt]!;
    this.isPushed = (flags & tcpFlag.push) !== 0;
    return (
      header >= tcpHeaderMin && this.payload > 0 && (flags & ~tcpFlag.push) === tcpFlag.acknowledge
    );
  }

  #udp(bytes: Uint8Array, transportAt: number, length: number): boolean {
    this.headSize = this.transportAt + udpHeaderSize;
    this.payload = length - this.headSize;
    this.isPushed = false;
    return (
      this.payload > 0 &&
      readUint16(bytes, transportAt + udpLengthAt) === length - this.transportAt &&
      readUint16(bytes, transportAt + udpChecksumAt) !== 0
    );
  }

  /** Whether TCP's or UDP's checksum is right: what is merged will not be checked by anybody else. */
  verifies(bytes: Uint8Array, at: number, length: number): boolean {
    const transport = length - this.transportAt;
    const protocol = this.isTcp ? tcpProtocol : udpProtocol;
    const pseudo = pseudoHeaderSum(bytes, at + etherPacketAt, this.isIpv6, protocol) + transport;
    return checksumFinish(checksumAdd(pseudo, bytes, at + this.transportAt, transport)) === 0;
  }
}
