import { PinnedMemory } from "../../ffi/memory.ts";
import { SendBatch } from "../../ffi/message-batch.ts";
import { SOL_UDP } from "../../ffi/socket.ts";
import type { HostIp } from "../base/ip.ts";
import type { UdpFamily } from "./udp-family.ts";

/** What fits the payload of one IPv4 packet, and so the longest run. */
const runBytesMax = 65_507;
/** The kernel's own bound, UDP_MAX_SEGMENTS. */
export const datagramsPerRunMax = 64;
export const runsMax = 64;
const datagramBytesMax = 65_535;
/** Small enough to stay in the processor's cache from the copy into it to the copy out of it. */
const memoryBytes = 512 * 1024;

/** Where a datagram goes, and from which of the host's addresses: addresses of the socket's family. */
export interface DatagramRoute {
  /** 0 for whichever the kernel chooses. */
  readonly from: HostIp;
  readonly to: HostIp;
  readonly port: number;
  /** Whether it must leave the host whole or not at all. */
  readonly dontFragment: boolean;
}

/** What is known of one run; a run of one datagram is an ordinary message. */
interface Run {
  at: number;
  bytes: number;
  datagrams: number;
  /** Octets of every datagram but the last, which may be shorter. */
  segment: number;
  from: HostIp;
  to: HostIp;
  port: number;
  dontFragment: boolean;
  mark: number;
}

/**
 * Datagrams on their way out, those of the same size to the same place side by side, so that each
 * run is one message that the kernel cuts again (udp(7), UDP_SEGMENT):
 *
 *   memory   [ 1400 ][ 1400 ][ 1400 ][ 90 ]   [ 700 ]   [ 1400 ][ 1400 ]
 *             └────────── run ───────────┘     run       └─── run ────┘
 *
 * Each message says from which address it goes and, if it is more than one datagram, where to cut:
 *
 *   cmsghdr (16)                        in_pktinfo (12) or in6_pktinfo (20), padded to 8
 *   +-----------+----------+---------+  +-----------------------------------+-----+
 *   | length: 8 | level: 4 | type: 4 |  | see udp-family.ts                 | pad |
 *   +-----------+----------+---------+  +-----------------------------------+-----+
 *   cmsghdr (16)                        padded to 8
 *   +-----------+----------+---------+  +---------+-----+
 *   | length 18 | level: 4 | type: 4 |  | size: 2 | pad |
 *   +-----------+----------+---------+  +---------+-----+
 */
export class DatagramRuns {
  readonly #family: UdpFamily;
  readonly #memory = new PinnedMemory(memoryBytes);
  readonly #sourceBytes: number;
  readonly #controlBytes: number;
  readonly #batch: SendBatch;
  readonly #alone: SendBatch;
  readonly #runs: readonly Run[] = Array.from({ length: runsMax }, newRun);
  /** The run that takes more. */
  #open: Run | undefined = undefined;
  #end = 0;
  /** Datagrams that make up a run; 1 where the kernel does not cut. */
  datagramsMax = datagramsPerRunMax;
  /** The largest datagram that may be fragmented and yet be in a run: what is cut is not fragmented. */
  wholeMax = 0;

  constructor(family: UdpFamily) {
    this.#family = family;
    this.#sourceBytes = spaceFor(family.sourceInfo.bytes);
    this.#controlBytes = this.#sourceBytes + spaceFor(cutBytes);
    const { nameBytes } = family;
    const shape = { piecesPerMessage: 1, nameBytes, controlBytes: this.#controlBytes };
    this.#batch = new SendBatch({ ...shape, messages: runsMax, pieces: runsMax });
    this.#alone = new SendBatch({ ...shape, messages: 1, pieces: 1 });
  }

  get waiting(): number {
    return this.#batch.waiting;
  }

  get full(): boolean {
    return this.#batch.full || this.#end + datagramBytesMax > memoryBytes;
  }

  /** Takes a copy; there must be room. */
  append(route: DatagramRoute, mark: number, bytes: Uint8Array, length: number): void {
    const at = this.#end;
    this.#memory.bytes.set(length === bytes.length ? bytes : bytes.subarray(0, length), at);
    this.#end += length;
    const open = this.#open;
    if (open !== undefined && this.#joins(open, route, mark, length)) this.#join(open, length);
    else this.#begin(route, mark, at, length);
  }

  #joins(run: Run, route: DatagramRoute, mark: number, length: number): boolean {
    return (
      mark === run.mark &&
      length <= run.segment &&
      length > 0 &&
      run.bytes + length <= runBytesMax &&
      route.to === run.to &&
      route.port === run.port &&
      route.from === run.from &&
      route.dontFragment === run.dontFragment
    );
  }

  #begin(route: DatagramRoute, mark: number, at: number, length: number): void {
    const message = this.#batch.begin();
    const run = this.#runs[message]!;
    run.at = at;
    run.bytes = length;
    run.datagrams = 1;
    run.segment = length;
    run.from = route.from;
    run.to = route.to;
    run.port = route.port;
    run.dontFragment = route.dontFragment;
    run.mark = mark;
    this.#batch.append(this.#memory, at, length);
    this.#address(this.#batch, message, run);
    const isWhole = run.dontFragment || length <= this.wholeMax;
    this.#open = this.datagramsMax > 1 && isWhole ? run : undefined;
  }

  #join(run: Run, length: number): void {
    const message = this.#batch.first + this.#batch.waiting - 1;
    run.bytes += length;
    run.datagrams++;
    this.#batch.replace(message, this.#memory, run.at, run.bytes);
    if (run.datagrams === 2) this.#cutAt(message, run.segment);
    if (length < run.segment || run.datagrams === this.datagramsMax) this.#open = undefined;
  }

  /** The run that goes next. */
  get first(): Run {
    return this.#runs[this.#batch.first]!;
  }

  /** How many runs from the first on are alike in whether they may be fragmented. */
  get alike(): number {
    const { first, waiting } = this.#batch;
    const { dontFragment } = this.first;
    let count = 1;
    while (count < waiting && this.#runs[first + count]!.dontFragment === dontFragment) count++;
    return count;
  }

  /** Sends up to `count` runs; returns how many are gone, or the errno of the first, negative. */
  send(descriptor: number, count: number): number {
    this.#open = undefined;
    const { first } = this.#batch;
    const sent = this.#batch.send(descriptor, count);
    for (let index = 0; index < sent; index++) {
      const { dontFragment, segment } = this.#runs[first + index]!;
      if (dontFragment && segment > this.wholeMax) this.wholeMax = segment;
    }
    this.#reuse();
    return sent;
  }

  /** Sends the first datagram of the first run, by itself; 1, or its errno, negative. */
  sendOne(descriptor: number): number {
    const run = this.first;
    const alone = this.#alone;
    const message = alone.begin();
    alone.append(this.#memory, run.at, Math.min(run.segment, run.bytes));
    this.#address(alone, message, run);
    const sent = alone.send(descriptor, 1);
    if (sent < 0) alone.skip();
    return sent;
  }

  /** Takes the first datagram off the first run; false, and nothing done, when it is the last. */
  shorten(): boolean {
    const run = this.first;
    if (run.datagrams === 1) return false;
    const { first } = this.#batch;
    run.at += run.segment;
    run.bytes -= run.segment;
    if (--run.datagrams === 1) {
      run.segment = run.bytes;
      this.#batch.setControlLength(first, this.#sourceBytes);
    }
    this.#batch.replace(first, this.#memory, run.at, run.bytes);
    return true;
  }

  /** Gives up the first run. */
  skip(): void {
    this.#batch.skip();
    this.#reuse();
  }

  #reuse(): void {
    if (this.waiting === 0) this.#end = 0;
  }

  #address(batch: SendBatch, message: number, { from, to, port }: Run): void {
    const { level, nameBytes, sourceInfo, writeName, writeIp } = this.#family;
    writeName(batch.names, message * nameBytes, to, port);
    const { control } = batch;
    const at = message * this.#controlBytes;
    control.setUint32(at, messageHeadBytes + sourceInfo.bytes, true);
    control.setUint32(at + 8, level, true);
    control.setUint32(at + 12, sourceInfo.type, true);
    writeIp(control, at + messageHeadBytes + sourceInfo.addressAt, from);
    batch.setControlLength(message, this.#sourceBytes);
  }

  #cutAt(message: number, segment: number): void {
    const { control } = this.#batch;
    const at = message * this.#controlBytes + this.#sourceBytes;
    control.setUint32(at, messageHeadBytes + cutBytes, true);
    control.setUint32(at + 8, SOL_UDP, true);
    control.setUint32(at + 12, UDP_SEGMENT, true);
    control.setUint16(at + messageHeadBytes, segment, true);
    this.#batch.setControlLength(message, this.#controlBytes);
  }
}

function newRun(): Run {
  return {
    at: 0,
    bytes: 0,
    datagrams: 0,
    segment: 0,
    from: 0,
    to: 0,
    port: 0,
    dontFragment: false,
    mark: 0,
  };
}

const messageHeadBytes = 16;
/** Of the size at which the kernel cuts. */
const cutBytes = 2;

/** What a structure of ancillary data takes with its head and what pads it. */
function spaceFor(bytes: number): number {
  return messageHeadBytes + Math.ceil(bytes / 8) * 8;
}

export const UDP_SEGMENT = 103;
