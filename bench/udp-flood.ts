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
 *
 * The source sends datagrams one by one, in batches of system calls, as fast as it can; it does not
 * use segmentation, which few programs do.
 */
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

function source(): number {
  const descriptor = openUdpSocket(0, 0, bufferBytes);
  const runs = new DatagramRuns();
  runs.datagramsMax = 1;
  const route = { from: 0, to: ip, port: Number(port), dontFragment: false };
  const datagram = new Uint8Array(Number(octets)).fill(7);
  let sent = 0;
  while (performance.now() < endMs) {
    while (!runs.full) runs.append(route, 0, datagram, datagram.length);
    while (runs.waiting > 0) {
      const gone = runs.send(descriptor, runs.waiting);
      if (gone > 0) sent += gone;
      else runs.skip();
    }
  }
  return sent;
}

console.log(role === "sink" ? sink() : source());
