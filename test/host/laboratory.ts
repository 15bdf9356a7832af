import { Epoll } from "../../ffi/descriptor.ts";
import type { Cidr, HostIp } from "../../lib/base/ip.ts";
import { formatHostIp, parseCidr, parseIpv4 } from "../../lib/base/ip.ts";
import type { Log } from "../../lib/base/world.ts";
import { addAddress } from "../../lib/host/netlink/address.ts";
import type { Netlink } from "../../lib/host/netlink/conversation.ts";
import { changeLink, createVeth, findLink } from "../../lib/host/netlink/link.ts";
import { openRoute } from "../../lib/host/netlink/open.ts";
import {
  createNamedNamespace,
  deleteNamedNamespace,
  type NetworkNamespace,
  namedNamespaces,
} from "../../lib/host/netns.ts";
import { setSysctl } from "../../lib/host/sysctl.ts";
import { openUdpSocket, UdpSocket } from "../../lib/host/udp-socket.ts";

/** Namespaces of one test file on the real kernel; all are gone after {@link close}. */
export class Laboratory {
  readonly #prefix: string;
  readonly #namespaces: { readonly name: string; readonly namespace: NetworkNamespace }[] = [];

  /** `tag` tells test files apart in `ip netns list`. */
  constructor(tag: string) {
    if (process.getuid?.() !== 0) {
      throw new Error("these tests make network namespaces and interfaces: run them as root");
    }
    this.#prefix = `wh-${tag}-`;
    for (const { name } of namedNamespaces()) {
      if (name.startsWith(this.#prefix)) deleteNamedNamespace(name);
    }
  }

  name(short: string): string {
    return `${this.#prefix}${short}`;
  }

  namespace(short: string): NetworkNamespace {
    const name = this.name(short);
    const namespace = createNamedNamespace(name);
    this.#namespaces.push({ name, namespace });
    // Addresses of IPv6 can be used at once: nobody else has them.
    namespace.run(() => setSysctl("ipv6/conf/default/accept_dad", 0));
    using netlink = openRoute(namespace);
    changeLink(netlink, findLink(netlink, { name: "lo" })!.index, { up: true });
    return namespace;
  }

  /** Joins two namespaces by a cable whose ends have these names and addresses. */
  cable(
    a: { in: NetworkNamespace; name: string; address: string },
    b: { in: NetworkNamespace; name: string; address: string },
  ): void {
    {
      using netlink = openRoute(a.in);
      createVeth(netlink, { name: a.name }, { name: b.name, namespaceDescriptor: b.in.descriptor });
    }
    for (const end of [a, b]) {
      using netlink = openRoute(end.in);
      const { index } = findLink(netlink, { name: end.name })!;
      changeLink(netlink, index, { up: true });
      addAddress(netlink, index, parseCidr(end.address));
    }
    for (const end of [a, b]) {
      using netlink = openRoute(end.in);
      awaitOperational(netlink, end.name);
      awaitAddresses(end.in);
    }
  }

  close(): void {
    for (const { name, namespace } of this.#namespaces.splice(0).reverse()) {
      namespace.close();
      deleteNamedNamespace(name);
    }
  }
}

/** A log whose lines a test can look at. */
export function recordingLog(): Log & { readonly lines: string[] } {
  const lines: string[] = [];
  const add = (level: string) => (line: string) => void lines.push(`${level} ${line}`);
  return { lines, debug: add("debug"), info: add("info"), warn: add("warn"), error: add("error") };
}

/** More than the second after which the kernel asks again for a neighbour's address. */
const waitMs = 3000;
const bufferBytes = 1 << 18;

/** Waits until the kernel lets frames pass an interface whose ends are both up. */
export function awaitOperational(netlink: Netlink, name: string): void {
  for (let tries = 0; tries < 100_000; tries++) {
    if (findLink(netlink, { name })?.operational) return;
  }
  throw new Error(`${name} does not become operational`);
}

/** Waits until all addresses may be used: those of IPv6 may not when they have just been added. */
export function awaitAddresses(namespace: NetworkNamespace): void {
  for (let tries = 0; tries < 1000; tries++) {
    const list = ["ip", "-6", "-oneline", "address", "show", "tentative"];
    if (namespace.run(() => Bun.spawnSync(list)).stdout.length === 0) return;
  }
  throw new Error("an address cannot be used");
}

/** A UDP socket in a namespace. */
export function udpIn(namespace: NetworkNamespace, host: HostIp = 0, port = 0): UdpSocket {
  return new UdpSocket(namespace.run(() => openUdpSocket(host, port, bufferBytes)));
}

/** The next datagram and who sent it; `undefined` when none comes in time. */
export function awaitDatagram(
  socket: UdpSocket,
  timeoutMs = waitMs,
): { payload: Uint8Array; from: string } | undefined {
  let got: { payload: Uint8Array; from: string } | undefined;
  const epoll = new Epoll(1);
  epoll.add(socket.descriptor);
  if (epoll.wait(timeoutMs) > 0) {
    socket.receive((bytes, at, length, ip) => {
      got ??= { payload: bytes.slice(at, at + length), from: formatHostIp(ip) };
    });
  }
  epoll.close();
  return got;
}

/**
 * Sends one datagram from a namespace to an address in another. Returns the source address that the
 * receiver saw; `undefined` when nothing arrived.
 */
export function deliver(
  from: NetworkNamespace,
  to: NetworkNamespace,
  address: string,
  options: { size?: number; timeoutMs?: number } = {},
): string | undefined {
  const receiver = udpIn(to);
  const sender = udpIn(from);
  try {
    const payload = new Uint8Array(options.size ?? 10).fill(7);
    const route = { from: 0, to: parseIpv4(address), port: receiver.port, dontFragment: false };
    sender.append(route, 0, payload, payload.length);
    sender.flush(() => {});
    const got = awaitDatagram(receiver, options.timeoutMs);
    return got?.payload.length === payload.length ? got.from : undefined;
  } finally {
    sender.close();
    receiver.close();
  }
}

export function cidrs(...texts: string[]): Cidr[] {
  return texts.map(parseCidr);
}
