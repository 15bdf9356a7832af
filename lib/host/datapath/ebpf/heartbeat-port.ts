import { closeDescriptor } from "../../../../ffi/descriptor.ts";
import { ReceiveBatch } from "../../../../ffi/message-batch.ts";
import {
  AF_PACKET,
  bindSocket,
  openSocket,
  SOCK_RAW,
  SOL_SOCKET,
  sendOne,
  setSocketOption,
  sockaddrLl,
} from "../../../../ffi/socket.ts";
import { heartbeatHeadBytes } from "../../../overlay/fastdp/heartbeat.ts";
import { type HeardHeartbeat, heartbeatFlag } from "../../../overlay/fastdp/ports.ts";
import { vniDestination, vniOriginator } from "../../../overlay/fastdp/vni.ts";
import { heartbeatEtherType } from "./programs.ts";

/**
 * Heartbeats between this process and the programs: those sent are put into the uplink with a mark
 * that says to whom, those heard come out of our end of the pair to sleeve with what the program at
 * the tunnel has written into their first octets (programs.ts).
 */
const SO_MARK = 36;
const batchFrames = 4;
const frameBytesMax = 65_535 + 14;
const addressesBytes = 12;
const typeBytes = 2;

export class HeartbeatPort {
  /** Readable when heartbeats have been heard. */
  readonly descriptor: number;
  readonly #sending: number;
  readonly #incoming = new ReceiveBatch({
    slots: batchFrames,
    headroomBytes: 0,
    payloadBytes: frameBytesMax,
    nameBytes: 0,
    controlBytes: 0,
  });
  #uplink = 0;
  #handover = 0;

  /** In the thread's network namespace. @throws SystemError */
  constructor() {
    this.descriptor = openSocket(AF_PACKET, SOCK_RAW, 0, "for heartbeats heard");
    this.#sending = openSocket(AF_PACKET, SOCK_RAW, 0, "for heartbeats");
  }

  /** Where they are sent and heard from now on, by index. @throws SystemError */
  bind(uplink: number, handover: number): void {
    if (uplink !== this.#uplink) bindSocket(this.#sending, sockaddrLl(uplink, 0), "for heartbeats");
    if (handover !== this.#handover) {
      const address = sockaddrLl(handover, heartbeatEtherType);
      bindSocket(this.descriptor, address, "for heartbeats heard");
    }
    this.#uplink = uplink;
    this.#handover = handover;
  }

  /** @throws SystemError */
  send(vni: number, frame: Uint8Array): void {
    setSocketOption(this.#sending, SOL_SOCKET, SO_MARK, heartbeatFlag | vni, "of a heartbeat");
    sendOne(this.#sending, frame, "a heartbeat");
  }

  /** All that have been heard; `portOf` knows the port of a device of ours. */
  receive(
    portOf: (device: number) => number | undefined,
    heard: (heartbeat: HeardHeartbeat) => void,
  ): void {
    const batch = this.#incoming;
    const { bytes, view } = batch.memory;
    for (let count = batchFrames; count === batchFrames; ) {
      count = batch.receive(this.descriptor, batchFrames);
      for (let slot = 0; slot < count; slot++) {
        const at = batch.offset(slot);
        const port = portOf(view.getUint32(at + 8));
        const length = batch.length(slot);
        if (port === undefined || length < addressesBytes + typeBytes) continue;
        const vni = view.getUint32(at + 4);
        const remoteIp = view.getUint32(at);
        const frame = bytes.slice(at, at + Math.min(length, heartbeatHeadBytes));
        frame.fill(0, 0, addressesBytes + typeBytes);
        heard({
          source: vniOriginator(vni),
          destination: vniDestination(vni),
          remoteIp,
          port,
          frame,
          length,
        });
      }
    }
  }

  close(): void {
    closeDescriptor(this.descriptor);
    closeDescriptor(this.#sending);
  }
}
