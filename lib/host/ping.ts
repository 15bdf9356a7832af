import { readSync } from "node:fs";
import { closeDescriptor, Epoll } from "../../ffi/descriptor.ts";
import {
  AF_INET,
  connectSocket,
  openSocket,
  SOCK_RAW,
  sendOne,
  sockaddrIn,
} from "../../ffi/socket.ts";
import { formatIpv4, type Ipv4 } from "../base/ip.ts";
import { icmpProtocol } from "../wire/icmp.ts";
import { decodeEchoReply, encodeEchoRequest } from "../wire/icmp-echo.ts";

/** Octets of data in a request, as ping(8) sends. */
const dataSize = 56;
const packetBytesMax = 1500;

/**
 * Sends ICMP echo requests from the thread's network namespace. Needs root, and blocks the thread
 * while it waits: for programs that have nothing else to do.
 */
export class Ping implements Disposable {
  readonly #socket: number;
  readonly #epoll = new Epoll(1);
  readonly #identifier = process.pid & 0xffff;
  #sequence = 0;

  /** @throws SystemError */
  constructor(address: Ipv4) {
    const about = formatIpv4(address);
    this.#socket = openSocket(AF_INET, SOCK_RAW, icmpProtocol, about);
    connectSocket(this.#socket, sockaddrIn(address, 0), about);
    this.#epoll.add(this.#socket);
  }

  /** Milliseconds until the reply came; `undefined` when none came in time. @throws SystemError */
  roundTripMs(waitMs: number): number | undefined {
    const echo = { identifier: this.#identifier, sequence: ++this.#sequence & 0xffff };
    const start = performance.now();
    sendOne(this.#socket, encodeEchoRequest(echo, dataSize), "echo request");
    for (;;) {
      const leftMs = Math.ceil(waitMs - (performance.now() - start));
      if (leftMs <= 0) return undefined;
      if (this.#epoll.wait(leftMs) === 0) continue;
      const reply = this.#read();
      if (reply?.identifier === echo.identifier && reply.sequence === echo.sequence) {
        return performance.now() - start;
      }
    }
  }

  /** A raw socket gives the IP header too. */
  #read() {
    const packet = new Uint8Array(packetBytesMax);
    const size = readSync(this.#socket, packet);
    const headerSize = (packet[0]! & 0x0f) * 4;
    return decodeEchoReply(packet.subarray(headerSize, size));
  }

  [Symbol.dispose](): void {
    this.#epoll.close();
    closeDescriptor(this.#socket);
  }
}
