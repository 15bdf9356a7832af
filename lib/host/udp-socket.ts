import { closeDescriptor } from "../../ffi/descriptor.ts";
import { ReceiveBatch, SendBatch } from "../../ffi/message-batch.ts";
import {
  AF_INET,
  bindSocket,
  connectSocket,
  openSocket,
  SOCK_DGRAM,
  SOL_IP,
  SOL_SOCKET,
  setSocketOption,
  sockaddrIn,
  sockaddrInBytes,
  socketName,
  socketOption,
  writeSockaddrIn,
} from "../../ffi/socket.ts";
import { errnoName } from "../../ffi/system-error.ts";
import { errorText, WeaveError } from "../base/errors.ts";
import { formatIpv4, type Ipv4 } from "../base/ip.ts";

const IP_MTU_DISCOVER = 10;
const IP_PMTUDISC_DONT = 0;
const IP_PMTUDISC_DO = 2;
const EAGAIN = 11;
const datagramBytesMax = 65_535;
const batchDatagrams = 64;

/** Why the kernel did not send a datagram. */
export type SendFailure = { readonly pathMtu: number } | { readonly error: string };

/** Where a datagram goes, and from which of the host's addresses. */
export interface DatagramRoute {
  readonly from: Ipv4;
  readonly to: Ipv4;
  readonly port: number;
  /** Whether it must leave the host whole or not at all. */
  readonly dontFragment: boolean;
}

/**
 * The router's UDP socket. Both kinds of datagram leave by it, and so from the same port: those
 * that must not be fragmented in runs between switches of the socket's path MTU discovery.
 *
 * The source address is chosen per datagram:
 *
 *   cmsghdr (16)                        in_pktinfo (12), padded to 16
 *   +-----------+----------+---------+  +------------+-----------------+------------+-----+
 *   | length 28 | level: 4 | type: 4 |  | ifindex: 4 | from address: 4 | address: 4 | pad |
 *   +-----------+----------+---------+  +------------+-----------------+------------+-----+
 */
export class UdpSocket {
  readonly descriptor: number;
  readonly #incoming = new ReceiveBatch({
    slots: batchDatagrams,
    payloadBytes: datagramBytesMax,
    nameBytes: sockaddrInBytes,
    controlBytes: 0,
  });
  readonly #outgoing = new SendBatch({
    slots: batchDatagrams,
    payloadBytes: datagramBytesMax,
    nameBytes: sockaddrInBytes,
    controlBytes: packetInfoBytes,
  });
  /** Per slot of the outgoing batch: the caller's mark, and whether it must not be fragmented. */
  readonly #marks: number[] = new Array(batchDatagrams).fill(0);
  readonly #dontFragment: boolean[] = new Array(batchDatagrams).fill(false);
  #discovery = IP_PMTUDISC_DONT;

  /** @param descriptor from {@link openUdpSocket}; it is closed with {@link close} */
  constructor(descriptor: number) {
    this.descriptor = descriptor;
  }

  get port(): number {
    return new DataView(socketName(this.descriptor).slice().buffer).getUint16(2);
  }

  /**
   * Hands up to one batch of datagrams to `datagram`, whose buffer is valid during the call and may
   * be written to. Returns how many there were; 0 means "no more for now".
   */
  receive(
    datagram: (bytes: Uint8Array, at: number, length: number, ip: Ipv4, port: number) => void,
  ): number {
    const batch = this.#incoming;
    const count = batch.receive(this.descriptor);
    // What an earlier datagram met on its way is reported here once; it is not ours to read.
    if (count < 0) return 0;
    for (let slot = 0; slot < count; slot++) {
      const name = slot * sockaddrInBytes;
      const ip = batch.names.getUint32(name + 4);
      const port = batch.names.getUint16(name + 2);
      datagram(batch.bytes, batch.offset(slot), batch.length(slot), ip, port);
    }
    return count;
  }

  /** Whether {@link append} has to wait until the socket takes more. */
  get full(): boolean {
    return this.#outgoing.full;
  }

  /** Datagrams that the socket had no room for yet. */
  get waiting(): number {
    return this.#outgoing.waiting;
  }

  /** Takes a copy of a datagram for {@link flush}; `mark` comes back when it fails. */
  append(route: DatagramRoute, mark: number, bytes: Uint8Array, length: number): void {
    const batch = this.#outgoing;
    const slot = batch.append(bytes, 0, length);
    writeSockaddrIn(batch.names, slot * sockaddrInBytes, route.to, route.port);
    writePacketInfo(batch.control, slot * packetInfoBytes, route.from);
    this.#marks[slot] = mark;
    this.#dontFragment[slot] = route.dontFragment;
  }

  /**
   * Sends what was taken, in order, as far as the socket has room; the rest waits. Datagrams that
   * are refused are told to `failed`, which must not call this socket.
   */
  flush(failed: (mark: number, failure: SendFailure) => void): void {
    const batch = this.#outgoing;
    while (batch.waiting > 0) {
      const first = batch.first;
      const dontFragment = this.#dontFragment[first]!;
      let run = 1;
      while (run < batch.waiting && this.#dontFragment[first + run] === dontFragment) run++;
      this.#discover(dontFragment ? IP_PMTUDISC_DO : IP_PMTUDISC_DONT);
      const sent = batch.send(this.descriptor, run);
      if (sent >= 0) continue;
      if (sent === -EAGAIN) return;
      failed(this.#marks[first]!, this.#failure(-sent, first));
      batch.skip();
    }
  }

  close(): void {
    closeDescriptor(this.descriptor);
  }

  #discover(discovery: number): void {
    if (this.#discovery === discovery) return;
    setSocketOption(this.descriptor, SOL_IP, IP_MTU_DISCOVER, discovery, "path MTU discovery");
    this.#discovery = discovery;
  }

  #failure(errno: number, slot: number): SendFailure {
    const name = errnoName(errno);
    if (name !== "EMSGSIZE") return { error: name };
    const { names, control } = this.#outgoing;
    const to = names.getUint32(slot * sockaddrInBytes + 4);
    const from = control.getUint32(slot * packetInfoBytes + packetInfoFromAt);
    const pathMtu = kernelPathMtu(from, to);
    return pathMtu === undefined ? { error: name } : { pathMtu };
  }
}

/**
 * The largest packet that the kernel believes to reach `to`: the interface's MTU or what routers on
 * the way have said. `undefined` when there is no route.
 */
export function kernelPathMtu(from: Ipv4, to: Ipv4): number | undefined {
  const IP_MTU = 14;
  const discardPort = 9;
  const probe = openSocket(AF_INET, SOCK_DGRAM, 0, "to ask for a path MTU");
  try {
    if (from !== 0) bindSocket(probe, sockaddrIn(from, 0), formatIpv4(from));
    connectSocket(probe, sockaddrIn(to, discardPort), formatIpv4(to));
    return socketOption(probe, SOL_IP, IP_MTU, "path MTU");
  } catch {
    return undefined;
  } finally {
    closeDescriptor(probe);
  }
}

/**
 * Opens a descriptor for {@link UdpSocket}, possibly for use in another thread.
 *
 * @param host local address; 0 for all
 * @param port 0 for any
 * @param bufferBytes for each direction
 * @throws WeaveError `UDP_BIND`
 */
export function openUdpSocket(host: Ipv4, port: number, bufferBytes: number): number {
  try {
    return openUdp(host, port, bufferBytes);
  } catch (cause) {
    const sentence = `cannot use UDP ${formatIpv4(host)}:${port}: ${errorText(cause)}`;
    const remedy = "stop what uses the port, or choose another with --port";
    throw new WeaveError("UDP_BIND", sentence, { remedy, cause });
  }
}

function openUdp(host: Ipv4, port: number, bufferBytes: number): number {
  const SO_SNDBUFFORCE = 32;
  const SO_RCVBUFFORCE = 33;
  const descriptor = openSocket(AF_INET, SOCK_DGRAM, 0, "for UDP");
  try {
    const buffer = "buffer of the UDP socket";
    setSocketOption(descriptor, SOL_IP, IP_MTU_DISCOVER, IP_PMTUDISC_DONT, "path MTU discovery");
    setSocketOption(descriptor, SOL_SOCKET, SO_RCVBUFFORCE, bufferBytes, buffer);
    setSocketOption(descriptor, SOL_SOCKET, SO_SNDBUFFORCE, bufferBytes, buffer);
    bindSocket(descriptor, sockaddrIn(host, port), `${formatIpv4(host)}:${port}`);
    return descriptor;
  } catch (error) {
    closeDescriptor(descriptor);
    throw error;
  }
}

const packetInfoBytes = 32;
const packetInfoFromAt = 20;

function writePacketInfo(control: DataView, at: number, from: Ipv4): void {
  const IP_PKTINFO = 8;
  control.setBigUint64(at, 28n, true);
  control.setUint32(at + 8, SOL_IP, true);
  control.setUint32(at + 12, IP_PKTINFO, true);
  control.setUint32(at + packetInfoFromAt, from);
}
