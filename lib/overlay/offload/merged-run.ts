import { emptyBytes, readUint32, writeUint16 } from "../../base/bytes.ts";
import { checksumFold } from "../../wire/checksum.ts";
import { ethernetHeaderSize } from "../../wire/ethernet.ts";
import {
  ipv4IdentificationAt,
  ipv4Seal,
  ipv4SourceAt,
  ipv4TotalLengthAt,
} from "../../wire/ipv4.ts";
import { ipv6PayloadLengthAt, ipv6SourceAt } from "../../wire/ipv6.ts";
import {
  tcpAcknowledgementAt,
  tcpChecksumAt,
  tcpFlag,
  tcpFlagsAt,
  tcpHeaderMin,
  tcpProtocol,
  tcpUrgentAt,
  tcpWindowAt,
} from "../../wire/tcp.ts";
import { udpChecksumAt, udpLengthAt, udpProtocol } from "../../wire/udp.ts";
import { type FrameOffload, superFrameKind } from "../../wire/virtio-net-header.ts";
import { pseudoHeaderSum } from "./pseudo-header.ts";
import type { Segment } from "./segment.ts";

/** As many as the kernel merges of UDP; of TCP, 64 KiB are seldom more. */
export const segmentsPerRunMax = 64;

const packetMax = 65_535;
const packetAt = ethernetHeaderSize;

/**
 * Segments of one flow that follow each other, and the super-frame that they are together:
 *
 *   [head][ payload 1 ]  ···  [head][ payload 2 ]  ···  [head][ payload 3 ]     as received
 *   [head + lengths, checksum of the pseudo header]  payload 1  payload 2  payload 3
 *
 * The payloads stay where they are; the first head is written over when the run is finished.
 */
export class MergedRun {
  bytes: Uint8Array = emptyBytes;
  /** Where the first frame begins. */
  at = 0;
  headSize = 0;
  /** Payload octets of every segment but the last. */
  segmentSize = 0;
  lastSize = 0;
  count = 0;
  /** Where in {@link bytes} each payload begins. */
  readonly payloadsAt = new Int32Array(segmentsPerRunMax);
  /** Valid after {@link finish}. */
  readonly offload: { -readonly [Field in keyof FrameOffload]: FrameOffload[Field] } = {
    kind: superFrameKind.none,
    segmentSize: 0,
    checksumFrom: 0,
    checksumField: 0,
  };
  #isIpv6 = false;
  #isTcp = false;
  #transportAt = 0;
  #payload = 0;
  #nextSequence = 0;
  #identification = 0;

  /** Octets of the first frame, which is all there is while {@link count} is 1. */
  get firstLength(): number {
    return this.headSize + this.segmentSize;
  }

  begin(segment: Segment, bytes: Uint8Array, at: number): void {
    this.bytes = bytes;
    this.at = at;
    this.headSize = segment.headSize;
    this.segmentSize = segment.payload;
    this.count = 0;
    this.#isIpv6 = segment.isIpv6;
    this.#isTcp = segment.isTcp;
    this.#transportAt = segment.transportAt;
    this.#payload = 0;
    this.#identification = segment.identification;
    this.#append(segment, at);
  }

  #append(segment: Segment, at: number): void {
    this.payloadsAt[this.count++] = at + segment.headSize;
    this.lastSize = segment.payload;
    this.#payload += segment.payload;
    this.#nextSequence = (segment.sequence + segment.payload) >>> 0;
  }

  /** Whether the frame has the same addresses, protocol and ports. */
  isFlowOf(segment: Segment, bytes: Uint8Array, at: number): boolean {
    if (segment.isIpv6 !== this.#isIpv6 || segment.isTcp !== this.#isTcp) return false;
    const ours = this.at + this.#transportAt;
    if (readUint32(this.bytes, ours) !== readUint32(bytes, at + segment.transportAt)) return false;
    const from = packetAt + (this.#isIpv6 ? ipv6SourceAt : ipv4SourceAt);
    return this.#equals(bytes, at, from, this.#isIpv6 ? 32 : 8);
  }

  /**
   * Adds a segment of the flow, if it may follow the last; false when it may not. What differs from
   * segment to segment are only lengths, number, checksums and the push flag.
   */
  join(segment: Segment, bytes: Uint8Array, at: number): boolean {
    const follows =
      bytes === this.bytes &&
      segment.headSize === this.headSize &&
      segment.payload <= this.segmentSize &&
      this.count < segmentsPerRunMax &&
      this.headSize + this.#payload + segment.payload - packetAt <= packetMax &&
      (!this.#isTcp || segment.sequence === this.#nextSequence) &&
      this.#isNext(segment.identification) &&
      this.#sameHead(bytes, at);
    if (!follows) return false;
    this.#append(segment, at);
    if (segment.isPushed) this.bytes[this.at + this.#transportAt + tcpFlagsAt]! |= tcpFlag.push;
    return true;
  }

  /** Cutting numbers IPv4 packets one by one, so only such are merged. */
  #isNext(identification: number): boolean {
    return this.#isIpv6 || identification === ((this.#identification + this.count) & 0xffff);
  }

  #sameHead(bytes: Uint8Array, at: number): boolean {
    const transport = this.#transportAt;
    const packet = this.#isIpv6
      ? this.#equals(bytes, at, 0, packetAt + ipv6PayloadLengthAt) &&
        this.#equals(bytes, at, packetAt + ipv6PayloadLengthAt + 2, 2)
      : this.#equals(bytes, at, 0, packetAt + ipv4TotalLengthAt) &&
        this.#equals(bytes, at, packetAt + ipv4IdentificationAt + 2, 4);
    if (!packet || !this.#isTcp) return packet;
    // The words of the header are in the same octet as reserved bits; the flags have been looked at.
    return (
      this.#equals(bytes, at, transport + tcpAcknowledgementAt, 5) &&
      this.#equals(bytes, at, transport + tcpWindowAt, 2) &&
      this.#equals(bytes, at, transport + tcpUrgentAt, 2) &&
      this.#equals(bytes, at, transport + tcpHeaderMin, this.headSize - transport - tcpHeaderMin)
    );
  }

  #equals(bytes: Uint8Array, at: number, from: number, length: number): boolean {
    const [ours, end] = [this.bytes, from + length];
    for (let i = from; i < end; i++) if (ours[this.at + i] !== bytes[at + i]) return false;
    return true;
  }

  /** Whether nothing can follow the last segment. */
  get isClosed(): boolean {
    return this.count === segmentsPerRunMax || this.lastSize < this.segmentSize;
  }

  /** Writes the super-frame's head over the first one and fills in {@link offload}. */
  finish(): void {
    const { bytes, at, offload } = this;
    const transportAt = at + this.#transportAt;
    const transport = this.headSize - this.#transportAt + this.#payload;
    if (this.#isIpv6) writeUint16(bytes, at + packetAt + ipv6PayloadLengthAt, transport);
    else {
      const total = this.headSize - packetAt + this.#payload;
      writeUint16(bytes, at + packetAt + ipv4TotalLengthAt, total);
      ipv4Seal(bytes, at + packetAt);
    }
    if (!this.#isTcp) writeUint16(bytes, transportAt + udpLengthAt, transport);
    const protocol = this.#isTcp ? tcpProtocol : udpProtocol;
    const pseudo = pseudoHeaderSum(bytes, at + packetAt, this.#isIpv6, protocol) + transport;
    const field = this.#isTcp ? tcpChecksumAt : udpChecksumAt;
    writeUint16(bytes, transportAt + field, checksumFold(pseudo));
    const { tcpv4, tcpv6, udp } = superFrameKind;
    offload.kind = this.#isTcp ? (this.#isIpv6 ? tcpv6 : tcpv4) : udp;
    offload.segmentSize = this.segmentSize;
    offload.checksumFrom = this.#transportAt;
    offload.checksumField = field;
  }
}
