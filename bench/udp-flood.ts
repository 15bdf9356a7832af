import { Epoll } from "../ffi/descriptor.ts";
import { parseIpv4 } from "../lib/base/ip.ts";
import { DatagramRuns } from "../lib/host/datagram-runs.ts";
import { openUdpSocket, UdpSocket } from "../lib/host/udp-socket.ts";

/**
 * The two ends of a flood of datagrams, each a process of its own so that it can live in a
 * container's namespace:
 *
 *   bun bench/udp-flood.ts sink <address> <port> <seconds>                    prints what arrived
 *   bun bench/udp-flood.ts source <address> <port> <seconds> <octets>         prints what was sent
 *   bun bench/udp-flood.ts cost <address> <port> <seconds> <octets>           prints what one costs
 *
 * The source sends datagrams one by one, in batches of system calls, as fast as it can; it does not
 * use segmentation, which few programs do.
 *
 * What a datagram costs is the processor time of the sender in nanoseconds: on one machine the sender's
 * thread carries it through all devices as far as the receiver's socket. It is taken in short slices,
 * of which the lower quartile counts, so that other work on the machine hardly shows.
 */
const sliceMs = 25;

const bufferBytes = 64 << 20;
const [role, address = "", port = "", seconds = "", octets = "64"] = process.argv.slice(2);
const ip = parseIpv4(address);
const endMs = performance.now() + Number(seconds) * 1000;

function sink(): number {
  const socket = new UdpSocket(openUdpSocket(ip, Number(port), bufferBytes));
  const epoll = new Epoll(1);
  epoll.add(socket.descriptor);
  let received = 0;
  console.log("listening");
  const count = (): void => void received++;
  while (performance.now() < endMs) {
    epoll.wait(50);
    socket.receive(count);
  }
  return received;
}

class Sender {
  readonly #descriptor = openUdpSocket(0, 0, bufferBytes);
  readonly #runs = new DatagramRuns();
  readonly #route = { from: 0, to: ip, port: Number(port), dontFragment: false };
  readonly #datagram = new Uint8Array(Number(octets)).fill(7);

  constructor() {
    this.#runs.datagramsMax = 1;
  }

  /** Sends until the clock says `untilMs`; returns how many datagrams. */
  send(untilMs: number): number {
    const runs = this.#runs;
    let sent = 0;
    while (performance.now() < untilMs) {
      while (!runs.full) runs.append(this.#route, 0, this.#datagram, this.#datagram.length);
      while (runs.waiting > 0) {
        const gone = runs.send(this.#descriptor, runs.waiting);
        if (gone > 0) sent += gone;
        else runs.skip();
      }
    }
    return sent;
  }
}

function cost(): number {
  const sender = new Sender();
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
  source: () => new Sender().send(endMs),
  cost,
};
console.log(roles[role!]!());
