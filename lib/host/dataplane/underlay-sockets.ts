import type { Epoll } from "../../../ffi/descriptor.ts";
import type { PinnedMemory } from "../../../ffi/memory.ts";
import { familyOf, type HostIp, type IpFamily } from "../../base/ip.ts";
import type { SendResult, UdpEndpoint } from "../../overlay/sleeve/ports.ts";
import { newDatagramMemory, type SendFailure, UdpSocket } from "../udp-socket.ts";

export interface UnderlaySocketsOptions {
  /** At most one of each family. */
  readonly descriptors: readonly number[];
  readonly epoll: Epoll;
  /** A datagram of this link, which was taken, could not be sent. Must not call the sockets. */
  readonly failed: (link: number, failure: SendFailure) => void;
}

/**
 * The sockets by which this host is reached, one a family, as the one thing that sleeve sends by.
 *
 *              ┌─ UDP by IPv4 ─┐
 *   send ──────┤               ├──── one memory for what is received, by one socket at a time
 *              └─ UDP by IPv6 ─┘
 */
export class UnderlaySockets {
  readonly #epoll: Epoll;
  readonly #failed: UnderlaySocketsOptions["failed"];
  readonly #received = newDatagramMemory();
  readonly #byFamily = new Map<IpFamily, UdpSocket>();
  /** Those of which it is waited until they have room. */
  readonly #full = new Set<UdpSocket>();
  readonly #route = { from: 0 as HostIp, to: 0 as HostIp, port: 0, dontFragment: false };

  constructor({ descriptors, epoll, failed }: UnderlaySocketsOptions) {
    this.#epoll = epoll;
    this.#failed = failed;
    for (const descriptor of descriptors) {
      const socket = new UdpSocket(descriptor, this.#received);
      this.#byFamily.set(socket.family, socket);
    }
  }

  /** Where datagrams lie while they are handed out, and until the next are. */
  get memory(): PinnedMemory {
    return this.#received.memory;
  }

  /** Whether some socket had no room for all. */
  get isBlocked(): boolean {
    return this.#full.size > 0;
  }

  /** Begins to wait for datagrams. */
  begin(): void {
    for (const { descriptor } of this.#sockets) this.#epoll.add(descriptor);
  }

  at(descriptor: number): UdpSocket | undefined {
    for (const socket of this.#sockets) if (socket.descriptor === descriptor) return socket;
    return undefined;
  }

  /** Takes a datagram of a link; `from` is 0 for whichever address the kernel chooses. */
  send(
    link: number,
    from: HostIp,
    to: UdpEndpoint,
    df: boolean,
    datagram: Uint8Array,
    length: number,
  ): SendResult {
    const socket = this.#byFamily.get(familyOf(to.ip));
    if (socket === undefined) return { error: "EAFNOSUPPORT" };
    if (socket.full) this.#flush(socket);
    if (socket.full) return "busy";
    const route = this.#route;
    route.from = from;
    route.to = to.ip;
    route.port = to.port;
    route.dontFragment = df;
    socket.append(route, link, datagram, length);
    return "sent";
  }

  /** Sends what was taken as far as there is room. */
  flush(): void {
    for (const socket of this.#sockets) this.#flush(socket);
  }

  #flush(socket: UdpSocket): void {
    socket.flush(this.#failed);
    const waits = socket.waiting > 0;
    if (waits === this.#full.has(socket)) return;
    if (waits) this.#full.add(socket);
    else this.#full.delete(socket);
    this.#epoll.watchWritable(socket.descriptor, waits);
  }

  /** Why runs are not sent, or not received, as one; empty when they are by all sockets. */
  whySingly(direction: "send" | "receive"): string {
    const reasons = [...this.#sockets].map(({ sendsSingly, receivesSingly }) =>
      direction === "send" ? sendsSingly : receivesSingly,
    );
    return [...new Set(reasons)].filter((reason) => reason !== "").join("; ");
  }

  get #sockets(): Iterable<UdpSocket> {
    return this.#byFamily.values();
  }
}
