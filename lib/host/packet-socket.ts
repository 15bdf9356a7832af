import { closeDescriptor } from "../../ffi/descriptor.ts";
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
  socketStatistics,
} from "../../ffi/socket.ts";
import { errnoName } from "../../ffi/system-error.ts";
import { errorText, WeaveError } from "../base/errors.ts";

const ETH_P_ALL = 3;
const frameBytesMax = 65_535 + 18;
const vlanTagBytes = 4;
const batchFrames = 64;

/** What the capture socket gives to whoever asks, since it was opened. */
export interface PacketStatistics {
  readonly received: number;
  readonly dropped: number;
}

/**
 * All frames that come out of an interface's other end, and frames put into it (packet(7)): on
 * `vethwe-pcap` everything that the bridge sends to the overlay.
 *
 * The kernel keeps a VLAN tag beside the frame; it is put back where it was on the wire:
 *
 *   slot:  | headroom 4 | destination 6 | source 6 | type 2 | …        as received
 *          | destination 6 | source 6 | 8100 + tag 4 | type 2 | …      as delivered
 */
export class PacketSocket {
  readonly descriptor: number;
  readonly #incoming = new ReceiveBatch({
    slots: batchFrames,
    headroomBytes: vlanTagBytes,
    payloadBytes: frameBytesMax,
    nameBytes: 0,
    controlBytes: auxiliaryBytes,
  });
  readonly #outgoing = new SendBatch({
    slots: batchFrames,
    payloadBytes: frameBytesMax,
    nameBytes: 0,
    controlBytes: 0,
  });
  #received = 0;
  #dropped = 0;
  /** Frames that could not be put into the interface, and the last reason. */
  injectFailures = 0;
  lastInjectFailure = "";

  /** @param descriptor from {@link openPacketSocket}; it is closed with {@link close} */
  constructor(descriptor: number) {
    this.descriptor = descriptor;
  }

  /**
   * Hands up to one batch of frames to `frame`, whose buffer is valid during the call. Returns how
   * many there were, so that less than {@link batchFrames} means "no more for now".
   */
  receive(frame: (bytes: Uint8Array, at: number, length: number) => void): number {
    const batch = this.#incoming;
    const count = batch.receive(this.descriptor);
    // An interface that goes down says so once and delivers again when it comes back.
    if (count < 0) return 0;
    for (let slot = 0; slot < count; slot++) {
      const at = batch.offset(slot);
      const length = batch.length(slot);
      const tag = batch.controlLength(slot) === 0 ? 0 : vlanTag(batch.control, slot);
      if (tag === 0) frame(batch.bytes, at, length);
      else frame(batch.bytes, restoreTag(batch.bytes, at, tag), length + vlanTagBytes);
    }
    return count;
  }

  /** Takes a copy of a frame for the next {@link flush}. */
  inject(bytes: Uint8Array, at: number, length: number): void {
    if (this.#outgoing.full) this.flush();
    this.#outgoing.append(bytes, at, length);
  }

  /** Puts what was taken into the interface; what it refuses is lost, as on a wire. */
  flush(): void {
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
 * @throws WeaveError `CAPTURE_FAILED`
 */
export function openPacketSocket(interfaceIndex: number, bufferBytes: number): number {
  try {
    return openCapture(interfaceIndex, bufferBytes);
  } catch (cause) {
    throw new WeaveError("CAPTURE_FAILED", `cannot capture frames: ${errorText(cause)}`, {
      remedy: "run as root on a kernel with packet sockets",
      cause,
    });
  }
}

function openCapture(interfaceIndex: number, bufferBytes: number): number {
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

/**
 *   cmsghdr (16)                        tpacket_auxdata (20), padded to 24
 *   +-----------+----------+---------+  +--------+-----+---------+-----+-----+-----+------+
 *   | length: 8 | level: 4 | type: 4 |  | status | len | snaplen | mac | net | tci | tpid |
 *   +-----------+----------+---------+  +--------+-----+---------+-----+-----+-----+------+
 *                                            4      4       4       2     2     2     2
 */
const auxiliaryBytes = 40;
const TP_STATUS_VLAN_VALID = 0x10;

/** The frame's VLAN tag, protocol and control information; 0 for none. */
function vlanTag(control: DataView, slot: number): number {
  const data = slot * auxiliaryBytes + 16;
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
