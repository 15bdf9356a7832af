import { closeDescriptor } from "../../ffi/descriptor.ts";
import type { PinnedMemory } from "../../ffi/memory.ts";
import { ReceiveBatch } from "../../ffi/message-batch.ts";
import {
  AF_INET6,
  bindSocket,
  connectSocket,
  openSocket,
  SOCK_DGRAM,
  SOL_IPV6,
  SOL_SOCKET,
  SOL_UDP,
  setSocketOption,
  socketName,
  socketOption,
} from "../../ffi/socket.ts";
import { errnoName } from "../../ffi/system-error.ts";
import { formatEndpoint } from "../base/endpoint.ts";
import { errorText, WeaveError } from "../base/errors.ts";
import { formatHostIp, type HostIp, type IpFamily } from "../base/ip.ts";
import { summableBytes } from "../wire/vector-sum.ts";
import { type DatagramRoute, DatagramRuns, UDP_SEGMENT } from "./datagram-runs.ts";
import {
  nameBytesMax,
  portOfName,
  socketAddress,
  type UdpFamily,
  udpByIpv4,
  udpByIpv6,
  udpOf,
} from "./udp-family.ts";

/** `IP_PMTUDISC_DONT` and `_DO`, the same numbers for both families. */
const mayFragment = 0;
const neverFragment = 2;
const EAGAIN = 11;
const datagramBytesMax = 65_535;
const UDP_GRO = 104;
const runControlBytes = 24;
const batchMessages = 64;
/** Of long runs only a few are taken at a time, so that they are still in the cache when looked at. */
const batchLargeMessages = 8;
const largeMessageBytes = 8192;

/** Why the kernel did not send a datagram. */
export type SendFailure = { readonly pathMtu: number } | { readonly error: string };

/** Memory for what sockets receive, which they may share: one at a time uses it. */
export function newDatagramMemory(): ReceiveBatch {
  return new ReceiveBatch({
    slots: batchMessages,
    payloadBytes: datagramBytesMax,
    nameBytes: nameBytesMax,
    controlBytes: runControlBytes,
    allocate: summableBytes,
  });
}

/**
 * The router's UDP socket, of one family. Both kinds of datagram leave by it, and so from the same port: those
 * that must not be fragmented between switches of the socket's path MTU discovery.
 *
 * Where the kernel can, it carries runs of datagrams in one piece: outgoing ones it cuts, or lets
 * the network card cut (see {@link DatagramRuns}); incoming ones that followed each other it hands
 * over together, saying where one ends and the next begins:
 *
 *   cmsghdr (16)                        padded to 8
 *   +-----------+----------+---------+  +---------+-----+
 *   | length 20 | level: 4 | type: 4 |  | size: 4 | pad |
 *   +-----------+----------+---------+  +---------+-----+
 */
export class UdpSocket {
  readonly descriptor: number;
  readonly #family: UdpFamily;
  readonly #incoming: ReceiveBatch;
  readonly #outgoing: DatagramRuns;
  #ask = batchMessages;
  #discovery = mayFragment;
  /** Why runs are not sent or not received as one; empty when they are. */
  sendsSingly = "";
  receivesSingly = "";

  /**
   * @param descriptor from {@link openUdpSocket}; it is closed with {@link close}
   * @param incoming where datagrams lie that other sockets do not receive meanwhile
   */
  constructor(descriptor: number, incoming = newDatagramMemory()) {
    this.descriptor = descriptor;
    this.#family = familyOfSocket(descriptor);
    this.#incoming = incoming;
    this.#outgoing = new DatagramRuns(this.#family);
    this.sendsSingly = reasonAgainst(() =>
      socketOption(descriptor, SOL_UDP, UDP_SEGMENT, "segmentation of UDP"),
    );
    if (this.sendsSingly !== "") this.#outgoing.datagramsMax = 1;
    this.receivesSingly = reasonAgainst(() =>
      setSocketOption(descriptor, SOL_UDP, UDP_GRO, 1, "receive offload of UDP"),
    );
  }

  get port(): number {
    return udpPortOf(this.descriptor);
  }

  get family(): IpFamily {
    return this.#family.family;
  }

  /** Where datagrams lie while they are handed out, and until the next {@link receive}. */
  get memory(): PinnedMemory {
    return this.#incoming.memory;
  }

  /**
   * Hands up to one batch of datagrams to `datagram`, whose buffer is valid until the next call and
   * may be written to. Returns how many messages there were; 0 means "no more for now".
   */
  receive(
    datagram: (bytes: Uint8Array, at: number, length: number, ip: HostIp, port: number) => void,
  ): number {
    const batch = this.#incoming;
    const { bytes } = batch.memory;
    const count = batch.receive(this.descriptor, this.#ask);
    // What an earlier datagram met on its way is reported here once; it is not ours to read.
    if (count < 0) return 0;
    let total = 0;
    for (let slot = 0; slot < count; slot++) {
      const name = slot * nameBytesMax;
      const ip = this.#family.ipOfName(batch.names, name);
      const port = portOfName(batch.names, name);
      const length = batch.length(slot);
      const at = batch.offset(slot);
      const size = batch.controlLength(slot) === 0 ? 0 : runSegment(batch.control, slot);
      total += length;
      if (size === 0) datagram(bytes, at, length, ip, port);
      else {
        for (let from = 0; from < length; from += size) {
          datagram(bytes, at + from, Math.min(size, length - from), ip, port);
        }
      }
    }
    this.#ask = total > count * largeMessageBytes ? batchLargeMessages : batchMessages;
    return count;
  }

  /** Whether {@link append} has to wait until the socket takes more. */
  get full(): boolean {
    return this.#outgoing.full;
  }

  /** Runs of datagrams that the socket had no room for yet. */
  get waiting(): number {
    return this.#outgoing.waiting;
  }

  /** Takes a copy of a datagram for {@link flush}; `mark` comes back when it fails. */
  append(route: DatagramRoute, mark: number, bytes: Uint8Array, length: number): void {
    this.#outgoing.append(route, mark, bytes, length);
  }

  /**
   * Sends what was taken, in order, as far as the socket has room; the rest waits. Datagrams that
   * are refused are told to `failed`, which must not call this socket.
   */
  flush(failed: (mark: number, failure: SendFailure) => void): void {
    const runs = this.#outgoing;
    while (runs.waiting > 0) {
      this.#discover(runs.first.dontFragment ? neverFragment : mayFragment);
      const sent = runs.send(this.descriptor, runs.alike);
      if (sent >= 0) continue;
      if (sent === -EAGAIN) return;
      if (runs.first.datagrams === 1) failed(runs.first.mark, this.#failure(-sent));
      else if (!this.#sendApart(-sent, failed)) return;
      runs.skip();
    }
  }

  close(): void {
    closeDescriptor(this.descriptor);
  }

  /**
   * Sends the datagrams of the first run one by one, because the run was refused: each may have a
   * reason of its own, and where none has one, it is runs that this way out does not take. False
   * when the socket has no more room.
   */
  #sendApart(refusal: number, failed: (mark: number, failure: SendFailure) => void): boolean {
    const runs = this.#outgoing;
    let isFirst = true;
    let tooBig: SendFailure | undefined;
    do {
      const { datagrams, mark } = runs.first;
      if (tooBig !== undefined && datagrams > 1) {
        failed(mark, tooBig);
        continue;
      }
      const sent = runs.sendOne(this.descriptor);
      if (sent === -EAGAIN) return false;
      if (sent < 0) {
        const failure = this.#failure(-sent);
        failed(mark, failure);
        // What is as large meets the same; only the last may be shorter.
        if ("pathMtu" in failure) tooBig = failure;
      } else if (isFirst && refusalsOfRuns.has(errnoName(refusal))) {
        this.sendsSingly = `the way out refused it: ${errnoName(refusal)}`;
        runs.datagramsMax = 1;
      }
      isFirst = false;
    } while (runs.shorten());
    return true;
  }

  #discover(discovery: number): void {
    if (this.#discovery === discovery) return;
    const { level, discoverOption } = this.#family;
    setSocketOption(this.descriptor, level, discoverOption, discovery, "path MTU discovery");
    this.#discovery = discovery;
  }

  /** Why the first datagram that waits was refused. */
  #failure(errno: number): SendFailure {
    const { from, to } = this.#outgoing.first;
    const name = errnoName(errno);
    const pathMtu = name === "EMSGSIZE" ? kernelPathMtu(from, to) : undefined;
    return pathMtu === undefined ? { error: name } : { pathMtu };
  }
}

/** Errors that a run may meet where each of its datagrams meets none. */
const refusalsOfRuns: ReadonlySet<string> = new Set(["EIO", "EINVAL", "EOPNOTSUPP", "ENOPROTOOPT"]);

/** The size at which a received run is to be cut; 0 when the message is a datagram by itself. */
function runSegment(control: DataView, slot: number): number {
  const at = slot * runControlBytes;
  const isRun =
    control.getUint32(at + 8, true) === SOL_UDP && control.getUint32(at + 12, true) === UDP_GRO;
  return isRun ? control.getUint32(at + 16, true) : 0;
}

/** Why the kernel does not do what is asked for; empty when it does. */
function reasonAgainst(ask: () => void): string {
  try {
    ask();
    return "";
  } catch (error) {
    return `the kernel lacks it: ${errorText(error)}`;
  }
}

/** The port to which a UDP socket is bound. @throws SystemError */
export function udpPortOf(descriptor: number): number {
  return portOfName(nameOf(descriptor), 0);
}

/** A descriptor says of which family it is. @throws SystemError */
function familyOfSocket(descriptor: number): UdpFamily {
  return nameOf(descriptor).getUint16(0, true) === AF_INET6 ? udpByIpv6 : udpByIpv4;
}

function nameOf(descriptor: number): DataView {
  return new DataView(socketName(descriptor).slice().buffer);
}

/**
 * The largest packet that the kernel believes to reach `to`: the interface's MTU or what routers on
 * the way have said. `undefined` when there is no route.
 *
 * @param from of the same family; 0 for whichever the kernel chooses
 */
export function kernelPathMtu(from: HostIp, to: HostIp): number | undefined {
  const discardPort = 9;
  const family = udpOf(to);
  const probe = openSocket(family.domain, SOCK_DGRAM, 0, "to ask for a path MTU");
  try {
    if (from !== 0) bindSocket(probe, socketAddress(family, from, 0), formatHostIp(from));
    connectSocket(probe, socketAddress(family, to, discardPort), formatHostIp(to));
    return socketOption(probe, family.level, family.pathMtuOption, "path MTU");
  } catch {
    return undefined;
  } finally {
    closeDescriptor(probe);
  }
}

/**
 * Opens a descriptor for {@link UdpSocket}, possibly for use in another thread.
 *
 * @param host local address; 0 for all of IPv4, `::` for all of IPv6 and of it alone
 * @param port 0 for any
 * @param bufferBytes for each direction
 * @throws WeaveError `UDP_BIND`, whose cause is a SystemError
 */
export function openUdpSocket(host: HostIp, port: number, bufferBytes: number): number {
  const about = formatEndpoint({ host: formatHostIp(host), port });
  try {
    return openUdp(host, port, bufferBytes, about);
  } catch (cause) {
    const sentence = `cannot use UDP ${about}: ${errorText(cause)}`;
    const remedy = "stop what uses the port, or choose another with --port";
    throw new WeaveError("UDP_BIND", sentence, { remedy, cause });
  }
}

function openUdp(host: HostIp, port: number, bufferBytes: number, about: string): number {
  const SO_SNDBUFFORCE = 32;
  const SO_RCVBUFFORCE = 33;
  const IPV6_V6ONLY = 26;
  const family = udpOf(host);
  const { level, discoverOption } = family;
  const descriptor = openSocket(family.domain, SOCK_DGRAM, 0, "for UDP");
  try {
    const buffer = "buffer of the UDP socket";
    if (family.family === 6) {
      setSocketOption(descriptor, SOL_IPV6, IPV6_V6ONLY, 1, "IPv4 has a socket of its own");
    }
    setSocketOption(descriptor, level, discoverOption, mayFragment, "path MTU discovery");
    setSocketOption(descriptor, SOL_SOCKET, SO_RCVBUFFORCE, bufferBytes, buffer);
    setSocketOption(descriptor, SOL_SOCKET, SO_SNDBUFFORCE, bufferBytes, buffer);
    bindSocket(descriptor, socketAddress(family, host, port), about);
    return descriptor;
  } catch (error) {
    closeDescriptor(descriptor);
    throw error;
  }
}
