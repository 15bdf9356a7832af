import { Epoll } from "../ffi/descriptor.ts";
import { PinnedMemory } from "../ffi/memory.ts";
import { SendBatch } from "../ffi/message-batch.ts";
import { connectSocket, SOL_UDP, setSocketOption, sockaddrIn } from "../ffi/socket.ts";
import { parseIpv4 } from "../lib/base/ip.ts";
import { UDP_SEGMENT } from "../lib/host/datagram-runs.ts";
import { openUdpSocket, UdpSocket } from "../lib/host/udp-socket.ts";

/**
 * The two ends of a flood of datagrams, each a process of its own so that it can live in a
 * container's namespace:
 *
 *   bun bench/udp-flood.ts sink <address> <port> <seconds>                    prints what arrived
 *   bun bench/udp-flood.ts source <address> <port> <seconds> <octets> [run]   prints what was sent
 *
 * The source sends as fast as it can from a connected socket, many messages a system call. With
 * `run` each message is so many datagrams, which the kernel cuts as late as it can (udp(7),
 * UDP_SEGMENT); few programs do so.
 */
const bufferBytes = 64 << 20;
/** As many as one system call takes. */
const messagesPerCall = 1024;
const [role, address = "", port = "", seconds = "", octets = "64", run = "1"] =
  process.argv.slice(2);
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
  const datagramsPerMessage = Number(run);
  const descriptor = openUdpSocket(0, 0, bufferBytes);
  connectSocket(descriptor, sockaddrIn(ip, Number(port)), address);
  if (datagramsPerMessage > 1) {
    setSocketOption(descriptor, SOL_UDP, UDP_SEGMENT, Number(octets), "where to cut");
  }
  const message = new PinnedMemory(Number(octets) * datagramsPerMessage);
  message.bytes.fill(7);
  const batch = new SendBatch({
    messages: messagesPerCall,
    pieces: messagesPerCall,
    piecesPerMessage: 1,
    nameBytes: 0,
    controlBytes: 0,
  });
  let sent = 0;
  while (performance.now() < endMs) {
    while (!batch.full) {
      batch.begin();
      batch.append(message, 0, message.bytes.length);
    }
    // What a full buffer or a vanished sink refuses is tried again.
    sent += Math.max(0, batch.send(descriptor, batch.waiting)) * datagramsPerMessage;
  }
  return sent;
}

console.log(role === "sink" ? sink() : source());
