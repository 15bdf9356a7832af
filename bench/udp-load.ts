import { Epoll } from "../ffi/descriptor.ts";
import { PinnedMemory } from "../ffi/memory.ts";
import { SendBatch } from "../ffi/message-batch.ts";
import { connectSocket, SOL_UDP, setSocketOption, sockaddrIn } from "../ffi/socket.ts";
import { parseIpv4 } from "../lib/base/ip.ts";
import { UDP_SEGMENT } from "../lib/host/datagram-runs.ts";
import { openUdpSocket, UdpSocket } from "../lib/host/udp-socket.ts";

/**
 * The two ends of a load of datagrams, each a process of its own so that it can live in a container's
 * namespace and on a processor of its own:
 *
 *   bun bench/udp-load.ts sink <address> <port>
 *   bun bench/udp-load.ts source <address> <port> <octets>
 *
 * Each takes lines from its input and answers with a number:
 *
 *   sink      <from ms> <to ms>                      how many datagrams came between these times
 *   source    <from ms> <to ms> <datagrams/s>        how many it sent, evenly, between these times
 *
 * Times are those of the wall clock. A source cannot send more than its processor lets it; it leaves
 * cutting to the kernel, many datagrams a system call, so that this is a lot.
 */
const bufferBytes = 16 << 20;
const datagramsPerMessage = 32;
const messagesPerCall = 16;
const [role, address = "", port = "", octets = "64"] = process.argv.slice(2);
const ip = parseIpv4(address);

type Work = (fromMs: number, toMs: number, perSecond: number) => number;

function sink(): Work {
  const socket = new UdpSocket(openUdpSocket(ip, Number(port), bufferBytes));
  const epoll = new Epoll(1);
  epoll.add(socket.descriptor);
  let received = 0;
  const count = (): void => void received++;
  return (fromMs, toMs) => {
    let before = received;
    for (let now = Date.now(); now < toMs; now = Date.now()) {
      if (now < fromMs) before = received;
      epoll.wait(5);
      socket.receive(count);
    }
    return received - before;
  };
}

function source(): Work {
  const size = Number(octets);
  const descriptor = openUdpSocket(0, 0, bufferBytes);
  connectSocket(descriptor, sockaddrIn(ip, Number(port)), address);
  setSocketOption(descriptor, SOL_UDP, UDP_SEGMENT, size, "where to cut");
  const message = new PinnedMemory(size * datagramsPerMessage);
  message.bytes.fill(7);
  const batch = new SendBatch({
    messages: messagesPerCall,
    pieces: messagesPerCall,
    piecesPerMessage: 1,
    nameBytes: 0,
    controlBytes: 0,
  });
  const send = (messages: number): number => {
    for (let left = messages; left > 0; left--) {
      batch.begin();
      batch.append(message, 0, message.bytes.length);
    }
    const sent = Math.max(0, batch.send(descriptor, batch.waiting));
    while (batch.waiting > 0) batch.skip();
    return sent * datagramsPerMessage;
  };
  return (fromMs, toMs, perSecond) => {
    let sent = 0;
    for (let now = Date.now(); now < toMs; now = Date.now()) {
      const due = (Math.max(0, now - fromMs) * perSecond) / 1000 - sent;
      const messages = Math.floor(due / datagramsPerMessage);
      if (messages > 0) sent += send(Math.min(messages, messagesPerCall));
      else Bun.sleepSync(1);
    }
    return sent;
  };
}

const work = role === "sink" ? sink() : source();
console.log("ready");
for await (const line of console) {
  const [fromMs = 0, toMs = 0, perSecond = 0] = line.split(" ").map(Number);
  console.log(work(fromMs, toMs, perSecond));
}
