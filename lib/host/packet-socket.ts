import { closeDescriptor } from "../../ffi/descriptor.ts";
import { PinnedMemory } from "../../ffi/memory.ts";
import { ReceiveBatch, SendBatch } from "../../ffi/message-batch.ts";
import {
  AF_PACKET,
  bindSocket,
  openSocket,
  SOCK_RAW,
  SOL_PACKET,
  SOL_SOCKET,
  setSocketOption,
  sockaddrLl,
  socketOption,
  socketStatistics,
} from "../../ffi/socket.ts";
import { errnoName } from "../../ffi/system-error.ts";
import { copyBytes } from "../base/bytes.ts";
import { errorText, WeaveError } from "../base/errors.ts";
import { type MergedRun, segmentsPerRunMax } from "../overlay/offload/merged-run.ts";
import { summableBytes } from "../wire/vector-sum.ts";
import {
  type FrameOffload,
  noOffload,
  readVirtioNetHeader,
  virtioNetHeaderSize,
  writeVirtioNetHeader,
} from "../wire/virtio-net-header.ts";
import { takesUdpSuperFrames } from "./udp-super-frames.ts";

const ETH_P_ALL = 3;
const frameBytesMax = 65_535 + 18;
const vlanTagBytes = 4;
const batchFrames = 64;
/** Of super-frames only a few are taken at a time: then they are still in the cache when cut. */
const batchLargeFrames = 8;
const largeFrameBytes = 8192;
/** The virtio header and what a super-frame is made of. */
const piecesPerFrameMax = 1 + segmentsPerRunMax;
const batchPieces = 16 * piecesPerFrameMax;
const copiesBytes = 4 * frameBytesMax;
const PACKET_VNET_HDR = 15;

/** What the capture socket gives to whoever asks, since it was opened. */
export interface PacketStatistics {
  readonly received: number;
  readonly dropped: number;
}

/** A frame that came in, whose buffer is valid until the next {@link PacketSocket.receive}. */
export type FrameTaker = (
  bytes: Uint8Array,
  at: number,
  length: number,
  offload: FrameOffload,
  /** The packet mark of a socket that was opened for marks; else 0. */
  mark: number,
) => void;

/**
 * All frames that come out of an interface's other end, and frames put into it (packet(7)): on
 * `vethwe-pcap` everything that the bridge sends to the overlay.
 *
 * Where the kernel knows `PACKET_VNET_HDR`, it passes frames in the state in which a network card
 * would get them, unfinished checksums and super-frames included, with a header that says so, and
 * takes such frames in return. It keeps a VLAN tag beside the frame; the tag is put back where it
 * was on the wire:
 *
 *   slot:  | headroom 4 | [virtio header 10] | destination 6 | source 6 | type 2 | …   as received
 *                                | destination 6 | source 6 | 8100 + tag 4 | type 2 | …  delivered
 */
export class PacketSocket {
  readonly descriptor: number;
  /** Whether frames carry what is left to do to them, in both directions. */
  readonly hasOffloads: boolean;
  /** Whether merged datagrams are among what may be put in. */
  readonly takesUdpSuperFrames: boolean;
  readonly #headerBytes: number;
  readonly #hasMarks: boolean;
  #mark = 0;
  readonly #incoming = new ReceiveBatch({
    slots: batchFrames,
    headroomBytes: vlanTagBytes,
    payloadBytes: virtioNetHeaderSize + frameBytesMax,
    nameBytes: 0,
    controlBytes,
    allocate: summableBytes,
  });
  readonly #offload = { ...noOffload };
  #ask = batchFrames;
  readonly #outgoing = new SendBatch({
    messages: batchFrames,
    pieces: batchPieces,
    piecesPerMessage: piecesPerFrameMax,
    nameBytes: 0,
    controlBytes: 0,
  });
  /** Headers of frames on their way out; the first slot is of frames with nothing left to do. */
  readonly #headers = new PinnedMemory((1 + batchFrames) * virtioNetHeaderSize);
  readonly #copies = new PinnedMemory(copiesBytes);
  #copiesEnd = 0;
  #received = 0;
  #dropped = 0;
  /** Frames that could not be put into the interface, and the last reason. */
  injectFailures = 0;
  lastInjectFailure = "";

  /** @param descriptor from {@link openPacketSocket}; it is closed with {@link close} */
  constructor(descriptor: number) {
    this.descriptor = descriptor;
    this.hasOffloads = hasOffloads(descriptor);
    this.takesUdpSuperFrames = this.hasOffloads && takesUdpSuperFrames(descriptor);
    this.#headerBytes = this.hasOffloads ? virtioNetHeaderSize : 0;
    this.#hasMarks = hasMarks(descriptor);
  }

  /**
   * Hands up to one batch of frames to `frame`. Returns how many there were; 0 means "no more for
   * now".
   */
  receive(frame: FrameTaker): number {
    const batch = this.#incoming;
    const { bytes, view } = batch.memory;
    const count = batch.receive(this.descriptor, this.#ask);
    // An interface that goes down says so once and delivers again when it comes back.
    if (count < 0) return 0;
    let total = 0;
    for (let slot = 0; slot < count; slot++) {
      const at = batch.offset(slot) + this.#headerBytes;
      const length = batch.length(slot) - this.#headerBytes;
      total += length;
      if (batch.truncated(slot)) {
        this.#dropped++;
        continue;
      }
      if (this.hasOffloads) readVirtioNetHeader(view, batch.offset(slot), this.#offload);
      const control = slot * controlBytes;
      const isTold = batch.controlLength(slot) > 0;
      const mark = isTold && this.#hasMarks ? batch.control.getUint32(control + 16, true) : 0;
      const auxiliary = control + (this.#hasMarks ? markBytes : 0);
      const tag = isTold ? vlanTag(batch.control, auxiliary) : 0;
      if (tag === 0) frame(bytes, at, length, this.#offload, mark);
      else this.#deliverTagged(at, length, tag, mark, frame);
    }
    this.#ask = total > count * largeFrameBytes ? batchLargeFrames : batchFrames;
    return count;
  }

  #deliverTagged(at: number, length: number, tag: number, mark: number, frame: FrameTaker): void {
    const { bytes } = this.#incoming.memory;
    if (this.#offload.checksumFrom > 0) this.#offload.checksumFrom += vlanTagBytes;
    frame(bytes, restoreTag(bytes, at, tag), length + vlanTagBytes, this.#offload, mark);
  }

  /** The packet mark of frames that are taken from now on. */
  get mark(): number {
    return this.#mark;
  }

  /** Those that were taken before leave with theirs. */
  set mark(mark: number) {
    if (mark === this.#mark) return;
    this.flush();
    this.#mark = mark;
    setSocketOption(this.descriptor, SOL_SOCKET, SO_MARK, mark, "mark of the capture socket");
  }

  /** Takes a copy of a frame for the next {@link flush}. */
  inject(bytes: Uint8Array, at: number, length: number): void {
    if (this.#copiesEnd + length > copiesBytes) this.flush();
    copyBytes(this.#copies.bytes, this.#copiesEnd, bytes, at, length);
    this.injectInPlace(this.#copies, this.#copiesEnd, length);
    this.#copiesEnd += length;
  }

  /** Takes a frame that stays where it is until the next {@link flush}. */
  injectInPlace(memory: PinnedMemory, at: number, length: number): void {
    this.#begin(0);
    this.#outgoing.append(memory, at, length);
  }

  /** Takes a super-frame whose pieces stay where they are, in `memory`, until {@link flush}. */
  injectMerged(memory: PinnedMemory, run: MergedRun): void {
    const message = this.#begin();
    const header = (1 + message) * virtioNetHeaderSize;
    writeVirtioNetHeader(this.#headers.view, header, run.offload, run.headSize);
    const batch = this.#outgoing;
    batch.append(memory, run.at, run.headSize + run.segmentSize);
    const last = run.count - 1;
    for (let i = 1; i < last; i++) batch.append(memory, run.payloadsAt[i]!, run.segmentSize);
    batch.append(memory, run.payloadsAt[last]!, run.lastSize);
  }

  /** Begins a message with the virtio header of this slot, or of its own. */
  #begin(headerSlot?: number): number {
    if (this.#outgoing.full) this.#send();
    const message = this.#outgoing.begin();
    if (this.hasOffloads) {
      const slot = headerSlot ?? 1 + message;
      this.#outgoing.append(this.#headers, slot * virtioNetHeaderSize, virtioNetHeaderSize);
    }
    return message;
  }

  /** Puts what was taken into the interface; what it refuses is lost, as on a wire. */
  flush(): void {
    this.#send();
    this.#copiesEnd = 0;
  }

  #send(): void {
    const batch = this.#outgoing;
    while (batch.waiting > 0) {
      const sent = batch.send(this.descriptor, batch.waiting);
      if (sent >= 0) continue;
      this.injectFailures++;
      this.lastInjectFailure = errnoName(-sent);
      batch.skip();
    }
  }

  statistics(): PacketStatistics {
    const { packets, drops } = socketStatistics(this.descriptor);
    this.#received += packets;
    this.#dropped += drops;
    return { received: this.#received, dropped: this.#dropped };
  }

  close(): void {
    closeDescriptor(this.descriptor);
  }
}

/**
 * Opens a descriptor for {@link PacketSocket}, possibly for use in another thread.
 *
 * @param interfaceIndex in the thread's network namespace
 * @param bufferBytes what the kernel may keep until it is read
 * @param options `marks`: frames come and go with packet marks
 * @throws WeaveError `CAPTURE_FAILED`
 */
export function openPacketSocket(
  interfaceIndex: number,
  bufferBytes: number,
  { marks = false } = {},
): number {
  try {
    return openCapture(interfaceIndex, bufferBytes, marks);
  } catch (cause) {
    throw new WeaveError("CAPTURE_FAILED", `cannot capture frames: ${errorText(cause)}`, {
      remedy: "run as root on a kernel with packet sockets",
      cause,
    });
  }
}

function openCapture(interfaceIndex: number, bufferBytes: number, marks: boolean): number {
  const PACKET_ADD_MEMBERSHIP = 1;
  const PACKET_AUXDATA = 8;
  const PACKET_IGNORE_OUTGOING = 23;
  const PACKET_MR_PROMISC = 1;
  const SO_RCVBUFFORCE = 33;
  // Without protocol nothing is delivered until bind says where from.
  const descriptor = openSocket(AF_PACKET, SOCK_RAW, 0, "for capture");
  try {
    const option = (level: number, name: number, value: number | Uint8Array): void =>
      setSocketOption(descriptor, level, name, value, "of the capture socket");
    option(SOL_SOCKET, SO_RCVBUFFORCE, bufferBytes);
    option(SOL_PACKET, PACKET_AUXDATA, 1);
    option(SOL_PACKET, PACKET_IGNORE_OUTGOING, 1);
    askForOffloads(descriptor);
    if (marks && !askForMarks(descriptor)) throw new Error("the kernel does not tell packet marks");
    const membership = new DataView(new ArrayBuffer(16));
    membership.setInt32(0, interfaceIndex, true);
    membership.setUint16(4, PACKET_MR_PROMISC, true);
    option(SOL_PACKET, PACKET_ADD_MEMBERSHIP, new Uint8Array(membership.buffer));
    bindSocket(descriptor, sockaddrLl(interfaceIndex, ETH_P_ALL), `interface ${interfaceIndex}`);
    return descriptor;
  } catch (error) {
    closeDescriptor(descriptor);
    throw error;
  }
}

/** Asks for `PACKET_VNET_HDR`; kernels without it give and take finished frames only. */
export function askForOffloads(descriptor: number): void {
  try {
    setSocketOption(descriptor, SOL_PACKET, PACKET_VNET_HDR, 1, "offloads of the capture socket");
  } catch {
    // What came of it is asked where it counts.
  }
}

/** Whether frames of a capture socket come with what is left to do to them. */
export function hasOffloads(descriptor: number): boolean {
  try {
    return socketOption(descriptor, SOL_PACKET, PACKET_VNET_HDR, "offloads") !== 0;
  } catch {
    return false;
  }
}

/**
 * Asks for the packet mark of every frame. False where the kernel cannot tell it: before 5.19.
 */
export function askForMarks(descriptor: number): boolean {
  try {
    setSocketOption(descriptor, SOL_SOCKET, SO_RCVMARK, 1, "marks of the capture socket");
    return true;
  } catch {
    return false;
  }
}

function hasMarks(descriptor: number): boolean {
  try {
    return socketOption(descriptor, SOL_SOCKET, SO_RCVMARK, "marks") !== 0;
  } catch {
    return false;
  }
}

/**
 *   cmsghdr (16)                        mark, padded to 8: first, of a socket with marks
 *   +-----------+----------+---------+  +--------+-----+
 *   | length: 8 | level: 4 | type: 4 |  | 4      |     |
 *   +-----------+----------+---------+  +--------+-----+
 *   cmsghdr (16)                        tpacket_auxdata (20), padded to 24
 *   +-----------+----------+---------+  +--------+-----+---------+-----+-----+-----+------+
 *   | length: 8 | level: 4 | type: 4 |  | status | len | snaplen | mac | net | tci | tpid |
 *   +-----------+----------+---------+  +--------+-----+---------+-----+-----+-----+------+
 *                                            4      4       4       2     2     2     2
 */
const SO_MARK = 36;
const SO_RCVMARK = 75;
const markBytes = 24;
const auxiliaryBytes = 40;
const controlBytes = markBytes + auxiliaryBytes;
const TP_STATUS_VLAN_VALID = 0x10;

/** The frame's VLAN tag, protocol and control information; 0 for none. */
function vlanTag(control: DataView, auxiliary: number): number {
  const data = auxiliary + 16;
  if ((control.getUint32(data, true) & TP_STATUS_VLAN_VALID) === 0) return 0;
  const information = control.getUint16(data + 16, true);
  const protocol = control.getUint16(data + 18, true) || 0x8100;
  return protocol * 0x10000 + information;
}

/** Moves both addresses into the headroom and puts the tag behind them; returns the new begin. */
function restoreTag(bytes: Uint8Array, at: number, tag: number): number {
  const addressesBytes = 12;
  const begin = at - vlanTagBytes;
  bytes.copyWithin(begin, at, at + addressesBytes);
  new DataView(bytes.buffer, bytes.byteOffset).setUint32(begin + addressesBytes, tag);
  return begin;
}
