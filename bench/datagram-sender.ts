import { PinnedMemory } from "../ffi/memory.ts";
import { SendBatch } from "../ffi/message-batch.ts";
import { connectSocket, SOL_UDP, setSocketOption, sockaddrIn } from "../ffi/socket.ts";
import type { Ipv4 } from "../lib/base/ip.ts";
import { UDP_SEGMENT } from "../lib/host/datagram-runs.ts";
import { openUdpSocket } from "../lib/host/udp-socket.ts";

export const bufferBytes = 64 << 20;
/** As many as one system call takes. */
const messagesPerCall = 1024;

/** Sends datagrams as fast as it can from a connected socket of the thread's namespace. */
export class DatagramSender {
  readonly #descriptor = openUdpSocket(0, 0, bufferBytes);
  readonly #message: PinnedMemory;
  readonly #datagramsPerMessage: number;
  readonly #batch = new SendBatch({
    messages: messagesPerCall,
    pieces: messagesPerCall,
    piecesPerMessage: 1,
    nameBytes: 0,
    controlBytes: 0,
  });

  /** @param datagramsPerMessage which the kernel cuts, as late as it can (udp(7), UDP_SEGMENT) */
  constructor(to: Ipv4, port: number, octetsEach: number, datagramsPerMessage = 1) {
    connectSocket(this.#descriptor, sockaddrIn(to, port), "sink of datagrams");
    if (datagramsPerMessage > 1) {
      setSocketOption(this.#descriptor, SOL_UDP, UDP_SEGMENT, octetsEach, "where to cut");
    }
    this.#datagramsPerMessage = datagramsPerMessage;
    this.#message = new PinnedMemory(octetsEach * datagramsPerMessage);
    this.#message.bytes.fill(7);
  }

  /** Sends until the clock says `untilMs`; returns how many datagrams. */
  send(untilMs: number): number {
    const batch = this.#batch;
    let sent = 0;
    while (performance.now() < untilMs) {
      while (!batch.full) {
        batch.begin();
        batch.append(this.#message, 0, this.#message.bytes.length);
      }
      // What a full buffer or a vanished sink refuses is tried again.
      sent += Math.max(0, batch.send(this.#descriptor, batch.waiting)) * this.#datagramsPerMessage;
    }
    return sent;
  }

  /** Nanoseconds of processor time that a datagram takes, of those sent in so many milliseconds. */
  cost(sliceMs: number): number {
    const before = process.cpuUsage();
    const sent = this.send(performance.now() + sliceMs);
    const { user, system } = process.cpuUsage(before);
    return ((user + system) * 1000) / sent;
  }
}
