import { Epoll } from "../ffi/descriptor.ts";
import { connectSocket, sendOne, sockaddrIn } from "../ffi/socket.ts";
import { parseIpv4 } from "../lib/base/ip.ts";
import { openUdpSocket, UdpSocket } from "../lib/host/udp-socket.ts";
import { bufferBytes, DatagramSender } from "./datagram-sender.ts";

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

function cost(): number {
  const sender = new DatagramSender(ip, Number(port), Number(octets));
  sender.send(performance.now() + sliceMs);
  const costs: number[] = [];
  while (performance.now() < endMs) costs.push(sender.cost(sliceMs));
  return costs.sort((a, b) => a - b)[costs.length >> 2]!;
}

const roles: Readonly<Record<string, () => number>> = {
  sink,
  answer: () => sink(true),
  source: () => new DatagramSender(ip, Number(port), Number(octets), Number(run)).send(endMs),
  cost,
};
console.log(roles[role!]!());
