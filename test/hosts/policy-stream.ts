import { readSync } from "node:fs";
import { closeDescriptor } from "../../ffi/descriptor.ts";
import { bindSocket, connectSocket, openSocket, SOCK_DGRAM, sendOne } from "../../ffi/socket.ts";
import { parseIpv4 } from "../../lib/base/ip.ts";
import { NetworkNamespace } from "../../lib/host/netns.ts";
import { socketAddress, udpByIpv4 } from "../../lib/host/udp-family.ts";

/**
 * A program that sends datagrams from one pod to two ports of another, as fast as they arrive, and
 * never an answer, so that each is judged:
 *
 *   policy-stream ‹namespace of the sender› ‹namespace of the receiver› ‹its address›
 *
 * Ends when its input does, or when one that must arrive does not; prints how many it sent to each of
 * the ports, and how many arrived at 8080 and at 8081.
 */
const [from, to, address] = process.argv.slice(2) as [string, string, string];
const burst = 16;
/** A datagram to port 8080 that has not come by then is lost. */
const patienceMs = 2000 * Number(process.env.WEAVE_TEST_SLOWNESS ?? 1);
const ports = [8080, 8081] as const;
const buffer = new Uint8Array(16);

const listeners = new NetworkNamespace(to).run(() =>
  ports.map((port) => {
    const socket = openSocket(udpByIpv4.domain, SOCK_DGRAM, 0, "listener");
    bindSocket(socket, socketAddress(udpByIpv4, 0, port), "listener");
    return socket;
  }),
);
const senders = new NetworkNamespace(from).run(() =>
  ports.map((port) => {
    const socket = openSocket(udpByIpv4.domain, SOCK_DGRAM, 0, "sender");
    connectSocket(socket, socketAddress(udpByIpv4, parseIpv4(address), port), "sender");
    return socket;
  }),
);
const arrived = [0, 0];

function listen(): void {
  for (const [index, listener] of listeners.entries()) {
    for (;;) {
      try {
        readSync(listener, buffer);
        arrived[index]!++;
      } catch {
        break;
      }
    }
  }
}

let isOver = false;
process.stdin.resume().on("end", () => {
  isOver = true;
});
console.log("sending");
let sent = 0;
for (let hasAll = true; hasAll && !isOver; ) {
  for (let count = 0; count < burst; count++) {
    // First to the port that neither allows: it is through when the other one is.
    sendOne(senders[1]!, buffer, "stream");
    sendOne(senders[0]!, buffer, "stream");
  }
  sent += burst;
  const deadline = performance.now() + patienceMs;
  for (listen(); arrived[0]! < sent && performance.now() < deadline; listen());
  hasAll = arrived[0] === sent;
  await new Promise(setImmediate);
}
console.log(`${sent} ${arrived.join(" ")}`);
[...listeners, ...senders].forEach(closeDescriptor);
process.exit();
