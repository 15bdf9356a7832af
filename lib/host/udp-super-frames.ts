import { sendOne } from "../../ffi/socket.ts";
import { isSystemError } from "../../ffi/system-error.ts";
import { fromHex } from "../base/bytes.ts";
import {
  superFrameKind,
  virtioNetHeaderSize,
  writeVirtioNetHeader,
} from "../wire/virtio-net-header.ts";

/**
 * Whether the kernel knows super-frames of UDP on packet sockets (it does since Linux 6.2): it is
 * handed one, to the address of Ethernet's pause frames, which every bridge throws away. An older
 * kernel refuses it, and would refuse to hand one out, losing it.
 */
export function takesUdpSuperFrames(descriptor: number): boolean {
  const head = "0180c20000010200000000010800" + "4500001e00000000011100000000000000000000";
  const datagrams = "00090009000a0000" + "0000";
  const frame = fromHex(head + datagrams);
  const message = new Uint8Array(virtioNetHeaderSize + frame.length);
  message.set(frame, virtioNetHeaderSize);
  const offload = {
    kind: superFrameKind.udp,
    segmentSize: 1,
    checksumFrom: 34,
    checksumField: 6,
  };
  writeVirtioNetHeader(new DataView(message.buffer), 0, offload, 42);
  try {
    sendOne(descriptor, message, "a super-frame of UDP");
    return true;
  } catch (error) {
    if (isSystemError(error)) return error.errnoName !== "EINVAL";
    throw error;
  }
}
