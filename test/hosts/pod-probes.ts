import { readSync } from "node:fs";
import { closeDescriptor, Epoll } from "../../ffi/descriptor.ts";
import {
  bindSocket,
  connectSocket,
  openSocket,
  SOCK_DGRAM,
  SOL_IP,
  SOL_IPV6,
  SOL_SOCKET,
  sendOne,
  setSocketOption,
  socketOption,
} from "../../ffi/socket.ts";
import { isSystemError } from "../../ffi/system-error.ts";
import { utf8, writeUint32 } from "../../lib/base/bytes.ts";
import type { HostIp, IpFamily, Ipv4 } from "../../lib/base/ip.ts";
import type { NetworkNamespace } from "../../lib/host/netns.ts";
import { socketAddress, udpByIpv4, udpByIpv6 } from "../../lib/host/udp-family.ts";
import type { TransportProtocol } from "../../lib/policy/objects.ts";
import type { LabPod } from "./pod-lab.ts";

/** One attempt of a pod to reach another. */
export interface PodProbe {
  readonly from: LabPod;
  readonly to: LabPod;
  readonly family: IpFamily;
  readonly protocol: TransportProtocol;
  readonly port: number;
}

const SOCK_STREAM = 1;
const protocolNumber = { TCP: 6, UDP: 17, SCTP: 132 } as const;
const families = { 4: udpByIpv4, 6: udpByIpv6 } as const;
const SO_ERROR = 4;
const SO_BINDTODEVICE = 25;
const podLink = utf8("eth0\0");
const refused = 111;
const [firstPort, portCount] = [10_000, 50_000];
const slowness = Number(process.env.WEAVE_TEST_SLOWNESS ?? 1);
/** How long a connection that is allowed may take before it counts as dropped. */
const patienceMs = 5000 * slowness;
/** Where nothing is allowed, nothing that comes back says that the kernel is through. */
const settleMs = 10 * slowness;
/** Heard of in one go. */
const eventsMax = 64;

/**
 * Many attempts at once, out of one process that has sockets in all pods. For TCP and SCTP nobody
 * listens: a port that answers with a refusal has been reached. Datagrams are to arrive at one of
 * `udpPorts`.
 *
 * Ports of senders are never the same twice, so that no attempt counts as part of an earlier one.
 */
export class PodProbes implements Disposable {
  readonly #listeners = new Map<NetworkNamespace, number[]>();
  readonly #udpPorts: readonly number[];
  readonly #buffer = new Uint8Array(16);
  #sourcePort = 0;

  constructor(udpPorts: readonly number[]) {
    this.#udpPorts = udpPorts;
  }

  /** Has a pod hear datagrams from now on. */
  listen(pod: LabPod): void {
    const sockets = pod.namespace.run(() =>
      this.#udpPorts.flatMap((port) =>
        ([4, 6] as const).map((family) => udpListener(family, port)),
      ),
    );
    this.#listeners.set(pod.namespace, sockets);
  }

  /** Has a pod that listens hear what goes to a group as well. */
  join({ namespace }: LabPod, group: Ipv4): void {
    const IP_ADD_MEMBERSHIP = 35;
    const request = new Uint8Array(8);
    writeUint32(request, 0, group);
    namespace.run(() => {
      const [ipv4] = this.#listeners.get(namespace)!;
      setSocketOption(ipv4!, SOL_IP, IP_ADD_MEMBERSHIP, request, "group");
    });
  }

  /**
   * Makes all attempts and gives those that got through. Those that are expected to are waited for;
   * the others set out first, so that they have arrived by then if they do.
   */
  reached<Probe extends PodProbe>(
    probes: readonly Probe[],
    isExpected: (probe: Probe) => boolean,
  ): Set<Probe> {
    const ordered = probes.toSorted((a, b) => Number(isExpected(a)) - Number(isExpected(b)));
    const attempts = new Map(ordered.map((probe, id) => [id, probe]));
    const sockets = new Map<number, number>();
    const reached = new Set<Probe>();
    const news = new Epoll(eventsMax);
    const look = (): void => {
      for (const id of this.#arrived(sockets, attempts)) {
        reached.add(attempts.get(id)!);
        // One that was refused has nothing more to tell, and would tell it for ever.
        if (attempts.get(id)!.protocol !== "UDP") news.remove(sockets.get(id)!);
      }
    };
    try {
      for (const listener of this.#listenersOf(attempts)) news.add(listener);
      for (const [id, probe] of attempts) {
        const socket = this.#start(probe, id);
        sockets.set(id, socket);
        if (probe.protocol !== "UDP") news.add(socket);
      }
      const expected = ordered.filter(isExpected);
      const deadline = performance.now() + (expected.length === 0 ? settleMs : patienceMs);
      const isOver = () => expected.length > 0 && expected.every((probe) => reached.has(probe));
      for (look(); !isOver() && performance.now() < deadline; look()) {
        news.wait(Math.max(1, Math.ceil(deadline - performance.now())));
      }
      look();
      return reached;
    } finally {
      news.close();
      for (const socket of sockets.values()) closeDescriptor(socket);
    }
  }

  [Symbol.dispose](): void {
    for (const sockets of this.#listeners.values()) sockets.forEach(closeDescriptor);
  }

  #start({ from, to, family, protocol, port }: PodProbe, id: number): number {
    this.#sourcePort = (this.#sourcePort + 1) % portCount;
    const [source, target]: [HostIp, HostIp] =
      family === 4 ? [from.ipv4, to.ipv4] : [from.ipv6, to.ipv6];
    return from.namespace.run(() => {
      const kind = families[family];
      const type = protocol === "UDP" ? SOCK_DGRAM : SOCK_STREAM;
      const socket = openSocket(kind.domain, type, protocolNumber[protocol], protocol);
      keepToLink(socket, source);
      bindSocket(socket, socketAddress(kind, source, firstPort + this.#sourcePort), protocol);
      try {
        connectSocket(socket, socketAddress(kind, target, port), protocol);
        if (protocol === "UDP") sendOne(socket, Uint8Array.of(id >>> 8, id), protocol);
      } catch (error) {
        if (!isSystemError(error, "EINPROGRESS")) throw error;
      }
      return socket;
    });
  }

  /** Of those attempts that are new to be known to have. */
  #arrived(sockets: Map<number, number>, attempts: ReadonlyMap<number, PodProbe>): number[] {
    const arrived: number[] = [];
    for (const [id, socket] of sockets) {
      if (attempts.get(id)!.protocol === "UDP") continue;
      if (socketOption(socket, SOL_SOCKET, SO_ERROR, "probe") === refused) arrived.push(id);
    }
    for (const listener of this.#listenersOf(attempts)) arrived.push(...this.#heard(listener));
    return arrived;
  }

  #listenersOf(attempts: ReadonlyMap<number, PodProbe>): number[] {
    const targets = new Set([...attempts.values()].map(({ to }) => to.namespace));
    return [...targets].flatMap((each) => this.#listeners.get(each) ?? []);
  }

  *#heard(listener: number): Generator<number> {
    for (;;) {
      try {
        if (readSync(listener, this.#buffer) !== 2) continue;
      } catch {
        return;
      }
      yield (this.#buffer[0]! << 8) | this.#buffer[1]!;
    }
  }
}

/** Has a socket of a pod use its only link where its address says nothing without one. */
export function keepToLink(socket: number, address: HostIp): void {
  const isOfLink = typeof address === "string" && address.startsWith("fe80:");
  if (isOfLink) setSocketOption(socket, SOL_SOCKET, SO_BINDTODEVICE, podLink, "link");
}

function udpListener(family: IpFamily, port: number): number {
  const IPV6_V6ONLY = 26;
  const kind = families[family];
  const socket = openSocket(kind.domain, SOCK_DGRAM, 0, "listener");
  if (family === 6) setSocketOption(socket, SOL_IPV6, IPV6_V6ONLY, 1, "listener");
  bindSocket(socket, socketAddress(kind, family === 4 ? 0 : "::", port), "listener");
  return socket;
}
