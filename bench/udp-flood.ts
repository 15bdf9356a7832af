import { Epoll } from "../ffi/descriptor.ts";
import { PinnedMemory } from "../ffi/memory.ts";
import { SendBatch } from "../ffi/message-batch.ts";
import { connectSocket, SOL_UDP, sendOne, setSocketOption, sockaddrIn } from "../ffi/socket.ts";
import { parseIpv4 } from "../lib/base/ip.ts";
import { UDP_SEGMENT } from "../lib/host/datagram-runs.ts";
import { openUdpSocket, UdpSocket } from "../lib/host/udp-socket.ts";

/**
 * The two ends of a flood of datagrams, each a process of its own so that it can live in a
 * container's namespace:
 *
 *   bun bench/udp-flood.ts sink <address> <port> <seconds>                    prints what arrived
 *   bun bench/udp-flood.ts answer <address> <port> <seconds>                  the same
 *   bun bench/udp-flood.ts source <address> <port> <seconds> <octets> [run]   prints what was sent
 *   bun bench/udp-flood.ts cost <address> <port> <seconds> <octets>           prints what one costs
 *
 * The source sends as fast as it can from a connected socket, many messages a system call. With
 * `run` each message is so many datagrams, which the kernel cuts as late as it can (udp(7),
 * UDP_SEGMENT); few programs do so.
 *
 * One that answers does so once, to the first datagram, so that packet filters take all of them for a
 * conversation.
 *
 * What a datagram costs is the processor time of the sender in nanoseconds: on one machine the sender's
 * thread carries it through all devices as far as the receiver's socket. It is taken in short slices,
 * of which the lower quartile counts, so that other work on the machine hardly shows.
 */
const sliceMs = 25;
const bufferBytes = 64 << 20;
/** As many as one system call takes. */
const messagesPerCall = 1024;
const [role, address = "", port = "", seconds = "", octets = "64", run = "1"] =
  process.argv.slice(2);
const ip = parseIpv4(address);
const endMs = performance.now() + Number(seconds) * 1000;

function sink(answers = false): number {
  const socket = new UdpSocket(openUdpSocket(ip, Number(port), bufferBytes));
  const epoll = new Epoll(1);
  epoll.add(socket.descriptor);
  let received = 0;
  console.log("listening");
  const count: Parameters<typeof socket.receive>[0] = (_bytes, _at, _length, from, fromPort) => {
    if (answers && received === 0) answerOnce(socket, Number(from), fromPort);
    received++;
  };
  while (performance.now() < endMs) {
    epoll.wait(50);
    socket.receive(count);
  }
  return received;
}

function answerOnce({ descriptor }: UdpSocket, to: number, toPort: number): void {
  connectSocket(descriptor, sockaddrIn(to, toPort), "answer");
  sendOne(descriptor, new Uint8Array(1), "answer");
}

class Sender {
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

  constructor(octetsEach: number, datagramsPerMessage: number) {
    connectSocket(this.#descriptor, sockaddrIn(ip, Number(port)), address);
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
}

function cost(): number {
  const sender = new Sender(Number(octets), 1);
  sender.send(performance.now() + sliceMs);
  const costs: number[] = [];
  while (performance.now() < endMs) {
    const before = process.cpuUsage();
    const sent = sender.send(performance.now() + sliceMs);
    const { user, system } = process.cpuUsage(before);
    costs.push(((user + system) * 1000) / sent);
  }
  return costs.sort((a, b) => a - b)[costs.length >> 2]!;
}

const roles: Readonly<Record<string, () => number>> = {
  sink,
  answer: () => sink(true),
  source: () => new Sender(Number(octets), Number(run)).send(endMs),
  cost,
};
console.log(roles[role!]!());
