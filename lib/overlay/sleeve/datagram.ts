import { copyBytes, emptyBytes, readUint16, writeUint16 } from "../../base/bytes.ts";
import type { IpFamily } from "../../base/ip.ts";
import { noPeer, type PeerName, readPeerName, writePeerName } from "../../base/peer-name.ts";

/**
 * A sleeve datagram (sleeve §4), the payload of one UDP packet to port 6783.
 *
 *    plain                                  encrypted
 *    0        6                             0        6          14        30
 *   +--------+---------------···           +--------+----------+---------+-----------------···
 *   | sender | records                     | sender | sequence |   tag   | records, enciphered
 *   +--------+---------------···           +--------+----------+---------+-----------------···
 *
 *    a record
 *    0               6               12       14
 *   +---------------+---------------+--------+-----------···
 *   |  source peer  |  destination  | length |  frame
 *   +---------------+---------------+--------+-----------···
 *
 * `sender` is the neighbour that sent the datagram. `source` captured the frame; `destination` is
 * the peer the frame is for, or the next hop of a flooded one.
 */
export const senderSize = 6;
export const sequenceAt = 6;
export const tagAt = 14;
export const recordHeaderSize = 14;

/** Octets before the first record. */
export const plainHeadSize = 6;
export const encryptedHeadSize = 30;

/** What an IPv4 packet of 65535 octets leaves for UDP payload; an IPv6 packet would leave 20 more. */
export const datagramMax = 65_507;

const ipSize: Readonly<Record<IpFamily, number>> = { 4: 20, 6: 40 };
const udpSize = 8;
const ethernetSize = 14;

/**
 * Octets that a path MTU loses to IP, UDP, sleeve and the inner Ethernet header: 62 or 86 with IPv4,
 * 82 or 106 with IPv6.
 */
export function pathOverhead(headSize: number, family: IpFamily): number {
  return ipSize[family] + udpSize + datagramOverhead(headSize);
}

/** Octets that a datagram has beside one inner packet. */
function datagramOverhead(headSize: number): number {
  return headSize + recordHeaderSize + ethernetSize;
}

/** The largest UDP payload when inner packets of `overlayMtu` octets are known to pass. */
export function datagramMaxOfMtu(overlayMtu: number, headSize: number): number {
  return Math.min(overlayMtu + datagramOverhead(headSize), datagramMax);
}

/** An Ethernet frame in somebody's buffer: valid during the call it is passed to. */
export interface Frame {
  readonly bytes: Uint8Array;
  readonly at: number;
  readonly length: number;
}

/** Between which peers a frame travels. */
export interface FrameRoute {
  readonly source: PeerName;
  readonly destination: PeerName;
}

/** Writes one record at `at`; returns the offset behind it. The buffer must have room. */
export function writeRecord(into: Uint8Array, at: number, route: FrameRoute, frame: Frame): number {
  writePeerName(into, at, route.source);
  writePeerName(into, at + 6, route.destination);
  writeUint16(into, at + 12, frame.length);
  copyBytes(into, at + recordHeaderSize, frame.bytes, frame.at, frame.length);
  return at + recordHeaderSize + frame.length;
}

export type RecordFault = "truncatedRecord" | "trailingOctets";

/**
 * Walks the records of one datagram without copying. One reader serves all datagrams:
 *
 *   reader.begin(bytes, 6, length);
 *   while (reader.next()) use(reader.source, reader.destination, reader.frameAt, reader.frameLength);
 *   if (reader.fault !== undefined) count(reader.fault);
 *
 * Records before a fault are good and have been delivered.
 */
export class RecordReader {
  source: PeerName = noPeer;
  destination: PeerName = noPeer;
  frameAt = 0;
  frameLength = 0;
  fault: RecordFault | undefined = undefined;
  #bytes: Uint8Array = emptyBytes;
  #at = 0;
  #end = 0;

  /** The records lie in `bytes` from `at` up to `end`. */
  begin(bytes: Uint8Array, at: number, end: number): void {
    this.#bytes = bytes;
    this.#at = at;
    this.#end = end;
    this.fault = undefined;
  }

  /** Moves to the next record; false at the end or at a {@link fault}. */
  next(): boolean {
    const bytes = this.#bytes;
    const at = this.#at;
    const left = this.#end - at;
    if (left < recordHeaderSize) {
      if (left > 0) this.fault = "trailingOctets";
      return false;
    }
    const length = readUint16(bytes, at + 12);
    if (length > left - recordHeaderSize) {
      this.fault = "truncatedRecord";
      return false;
    }
    this.source = readPeerName(bytes, at);
    this.destination = readPeerName(bytes, at + 6);
    this.frameAt = at + recordHeaderSize;
    this.frameLength = length;
    this.#at = this.frameAt + length;
    return true;
  }
}
