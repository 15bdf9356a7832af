import { formatIpv4, type IpFamily } from "../../../lib/base/ip.ts";
import type {
  OverlayLink,
  OverlayLinkParameters,
  OverlayLinkStatus,
} from "../../../lib/base/overlay.ts";
import type { PeerName } from "../../../lib/base/peer-name.ts";
import type { RoutesSnapshot } from "../../../lib/base/routes-snapshot.ts";
import { OverlayChooser } from "../../../lib/overlay/chooser.ts";
import type { EngineLinkEvents, OverlayEngine } from "../../../lib/overlay/engine.ts";
import { FastdpOverlay } from "../../../lib/overlay/fastdp/overlay.ts";
import { FrameRouter } from "../../../lib/overlay/frame-router.ts";
import type { FrameSwitch } from "../../../lib/overlay/frame-switch.ts";
import { HandoverSwitch } from "../../../lib/overlay/handover-switch.ts";
import { MacTable } from "../../../lib/overlay/mac-table.ts";
import { readMac } from "../../../lib/wire/ethernet.ts";
import { VirtualClock } from "../../sim/virtual-clock.ts";
import { SimWorld } from "../../sim/world.ts";
import { frameBetween, MemoryKernel, VxlanWire } from "./memory-kernel.ts";

/**
 * Hosts that carry frames over fastdp and sleeve, on one clock: real choosers and fastdp overlays
 * over kernels in memory, and a sleeve without datagrams, which works unless it is cut.
 */
export interface HostKind {
  readonly fastdp: boolean;
  /** Understands our extensions; else it behaves as a peer of the original does. */
  readonly ownKind?: boolean;
  readonly controlPort?: number;
  /** Of its containers. */
  readonly mtu?: number;
  readonly discoversMtu?: boolean;
}

interface End {
  readonly host: FrameHost;
  link: OverlayLink;
  established: boolean;
}

export interface Connection {
  readonly a: End;
  readonly b: End;
  open: boolean;
}

/** A connection as somebody hears of it. */
interface Pair {
  readonly connection: Connection;
  readonly hosts: readonly [FrameHost, FrameHost];
  /** Whether either end says that it is established. */
  readonly established: readonly [boolean, boolean];
}

/** How long things take, asked anew each time. In ms. */
export interface Delays {
  /** Until sleeve is confirmed at one end of a connection. */
  sleeve(): number;
  /** A message over TCP. */
  control(): number;
  /** Until a host's overlays are told of a change: fastdp first, then sleeve's worker. */
  routes(): number;
  worker(): number;
}

const promptly: Delays = { sleeve: () => 20, control: () => 1, routes: () => 0, worker: () => 0 };

export class FrameHost {
  readonly number: number;
  readonly name: PeerName;
  readonly ip: number;
  readonly kind: HostKind;
  readonly world: SimWorld;
  readonly kernel: MemoryKernel | undefined;
  shortId: number | undefined;
  fastdp: FastdpOverlay | undefined;
  chooser!: OverlayChooser;
  sleeve!: FrameSwitch;
  /** What is on its way to the overlays and to sleeve's worker. */
  readonly routes: Queue;
  #worker: Queue;
  readonly #sleeveLinks = new Set<{ readonly remote: PeerName }>();
  /** Frames that came out at the bridge of a host without datapath. */
  readonly #bridge: Uint8Array[] = [];
  readonly #cluster: FrameCluster;

  constructor(cluster: FrameCluster, number: number, kind: HostKind) {
    this.#cluster = cluster;
    this.routes = new Queue(cluster.clock);
    this.#worker = new Queue(cluster.clock);
    this.number = number;
    this.name = number as PeerName;
    this.shortId = 100 + number;
    this.ip = 0x0a090000 + number;
    this.kind = kind;
    this.world = new SimWorld(cluster.clock, number);
    this.kernel = kind.fastdp ? new MemoryKernel(cluster.wire, this.ip, kind.mtu) : undefined;
    if (this.kernel !== undefined) {
      this.kernel.handedOver = (mark, frame) =>
        this.#obey(this.sleeve.captured(frame, 0, cluster.clock.nowMs, mark), frame);
    }
    this.start();
  }

  get delivered(): readonly Uint8Array[] {
    return this.kernel?.delivered ?? this.#bridge;
  }

  get controlPort(): number {
    return this.kind.controlPort ?? 6783;
  }

  /** A process begins: what its kernel knows is still there. */
  start(): void {
    const { world, name } = this;
    this.sleeve =
      this.kernel === undefined
        ? new FrameRouter(name, new MacTable({ local: name }))
        : new HandoverSwitch(name);
    this.fastdp =
      this.kernel &&
      new FastdpOverlay({
        world,
        forwards: (topology) => this.toldWorker(topology),
        local: name,
        datapath: this.kernel.open(),
        controlPort: this.controlPort,
        discoversMtu: this.kind.discoversMtu ?? false,
      });
    const engines = [...(this.fastdp === undefined ? [] : [this.fastdp]), this.#sleeveEngine()];
    this.chooser = new OverlayChooser({ engines, log: world.log });
  }

  toldWorker(topology: RoutesSnapshot): void {
    const worker = this.sleeve;
    this.#worker.after(this.#cluster.delays.worker(), () => worker.setTopology(topology));
  }

  #sleeveEngine(): OverlayEngine {
    return {
      name: "sleeve",
      prepare: (parameters, events: EngineLinkEvents) => {
        const link = { remote: parameters.remote };
        const confirm = (): void => {
          if (this.#cluster.sleeveCut(this.name, link.remote)) return;
          this.#sleeveLinks.add(link);
          events.established();
        };
        let cancel = () => {};
        return {
          confirm: () => {
            cancel = this.world.after(this.#cluster.delays.sleeve(), confirm);
          },
          control() {},
          stop: () => {
            cancel();
            this.#sleeveLinks.delete(link);
          },
          attributes: () => ({}),
        };
      },
    };
  }

  /** Whether sleeve is confirmed at our end. */
  hasSleeveTo({ name }: FrameHost): boolean {
    return [...this.#sleeveLinks].some(({ remote }) => remote === name);
  }

  capture(frame: Uint8Array): void {
    if (this.kernel !== undefined) this.kernel.captured(frame);
    else this.#obey(this.sleeve.captured(frame, 0, this.#cluster.clock.nowMs, 0), frame);
  }

  /** A frame over sleeve from a neighbour. */
  receive(source: PeerName, destination: PeerName, via: PeerName, frame: Uint8Array): void {
    const route = { source, destination, via };
    this.#obey(this.sleeve.received(frame, 0, route, this.#cluster.clock.nowMs), frame);
  }

  #obey(verdict: ReturnType<FrameSwitch["captured"]>, frame: Uint8Array): void {
    if (verdict.drop !== undefined) return;
    const { source, destination, broadcast, hops, inject, mark } = verdict;
    for (const hop of [...hops]) {
      this.#cluster.sleeve(this, hop, source, broadcast ? hop : destination, frame);
    }
    if (!inject) return;
    if (this.kernel === undefined) this.#bridge.push(frame);
    else this.kernel.handedIn(mark, frame);
  }
}

export class FrameCluster {
  readonly clock = new VirtualClock();
  readonly wire = new VxlanWire(this.clock);
  readonly hosts: FrameHost[] = [];
  readonly connections: Connection[] = [];
  /** Frames that sleeve carried, as `from>to`. */
  readonly sleeveFrames: string[] = [];
  sleeveCut: (from: PeerName, to: PeerName) => boolean = () => false;
  delays: Delays = promptly;
  #lastUid = 0n;
  #frames = 0;

  host(kind: HostKind = { fastdp: true }): FrameHost {
    const host = new FrameHost(this, this.hosts.length + 1, kind);
    this.hosts.push(host);
    this.announce();
    return host;
  }

  /** A TCP connection passed the introduction. */
  /** By which connections are made from now on. */
  family: IpFamily = 4;

  connect(dialler: FrameHost, acceptor: FrameHost, sessionKey?: Uint8Array): Connection {
    const uid = ++this.#lastUid * 0x0123456789abn;
    const connection: { a: End; b: End; open: boolean } = {
      a: { host: dialler } as End,
      b: { host: acceptor } as End,
      open: true,
    };
    this.connections.push(connection);
    const prepare = (end: End, other: End): void => {
      end.established = false;
      const control = new Queue(this.clock);
      end.link = end.host.chooser.prepare({
        ...this.#parameters(end.host, other.host, end === connection.a),
        connectionUid: uid,
        sessionKey,
        passwordSet: sessionKey !== undefined,
        send: (tag, body) => {
          const copy = body.slice();
          control.after(this.delays.control(), () => {
            if (connection.open) other.link.control(tag, copy);
          });
        },
        established: () => {
          end.established = true;
          this.announce();
        },
        failed: () => this.disconnect(connection),
      });
    };
    prepare(connection.a, connection.b);
    prepare(connection.b, connection.a);
    connection.a.link.confirm();
    connection.b.link.confirm();
    return connection;
  }

  #parameters(local: FrameHost, remote: FrameHost, outbound: boolean) {
    const extensions = new Map<string, number>();
    if ((local.kind.ownKind ?? true) && (remote.kind.ownKind ?? true)) {
      for (const [name, version] of local.chooser.extensions()) {
        if (remote.chooser.extensions().has(name)) extensions.set(name, version);
      }
    }
    const ephemeral = 40_000;
    const addressOf = ({ ip }: FrameHost): string =>
      this.family === 4 ? formatIpv4(ip) : `fd00::${ip.toString(16)}`;
    return {
      local: local.name,
      remote: remote.name,
      outbound,
      localAddress: { host: addressOf(local), port: outbound ? ephemeral : local.controlPort },
      remoteAddress: {
        host: addressOf(remote),
        port: outbound ? remote.controlPort : ephemeral,
      },
      remoteFeatures: new Map([
        ...remote.chooser.features(),
        ...(remote.shortId === undefined ? [] : [["ShortID", `${remote.shortId}`] as const]),
      ]),
      extensions,
      now: () => 0,
    } satisfies Partial<OverlayLinkParameters>;
  }

  disconnect(connection: Connection): void {
    if (!connection.open) return;
    connection.open = false;
    connection.a.link.stop();
    connection.b.link.stop();
    this.connections.splice(this.connections.indexOf(connection), 1);
    this.announce();
  }

  /** The router's process dies and takes its connections with it. */
  kill(host: FrameHost): void {
    for (const connection of [...this.connections]) {
      if (connection.a.host === host || connection.b.host === host) this.disconnect(connection);
    }
    host.fastdp?.stop();
  }

  /** The router's process dies, and nobody hears of it. */
  silence(host: FrameHost): void {
    for (const end of this.connections.flatMap(({ a, b }) => [a, b])) {
      if (end.host !== host) continue;
      end.established = false;
      end.link.stop();
    }
    host.fastdp?.stop();
  }

  /**
   * Tells every host of the hosts that it reaches, and of the connections between them. It hears how
   * ends at others are now, and knows how its own are when it hears that.
   */
  announce(): void {
    const heard = this.#pairs();
    for (const host of this.hosts) {
      host.routes.after(this.delays.routes(), () => this.#tell(host, heard));
    }
  }

  #pairs(): Pair[] {
    return this.connections.map((connection) => {
      const { a, b } = connection;
      return { connection, hosts: [a.host, b.host], established: [a.established, b.established] };
    });
  }

  /** Connections that are established at both ends carry frames. */
  #tell(host: FrameHost, heard: readonly Pair[]): void {
    const isOwn = ({ hosts }: Pair): boolean => hosts.includes(host);
    const others = heard.filter((pair) => !isOwn(pair));
    const own = this.#pairs()
      .filter(isOwn)
      .map((pair) => seenFrom(host, pair, heard));
    const pairs = [...others, ...own];
    const reached = reachedFrom(host, pairs);
    const snapshot: RoutesSnapshot = {
      peers: this.hosts
        .filter((each) => reached.has(each))
        .map(({ name, shortId }) => ({ name, nickname: "", shortId })),
      links: pairs
        .filter(({ hosts: [a], established: [here, there] }) => here && there && reached.has(a))
        .map(({ hosts: [a, b] }) => [a.name, b.name]),
    };
    host.fastdp?.setTopology(snapshot);
    if (host.fastdp === undefined) host.toldWorker(snapshot);
  }

  sleeve(
    from: FrameHost,
    hop: PeerName,
    source: PeerName,
    destination: PeerName,
    frame: Uint8Array,
  ): void {
    this.sleeveFrames.push(`${from.number}>${hop}`);
    if (this.sleeveCut(from.name, hop)) return;
    const to = this.hosts[hop - 1]!;
    if (!from.hasSleeveTo(to) || !to.hasSleeveTo(from)) return;
    const copy = frame.slice();
    this.clock.after(1, () => to.receive(source, destination, from.name, copy));
  }

  /** The overlay by which `from` sends to its neighbour `to`. */
  overlay(from: FrameHost, to: FrameHost): string {
    return this.describe(from, to).name;
  }

  reason(from: FrameHost, to: FrameHost): string {
    return this.describe(from, to).reason;
  }

  describe(from: FrameHost, to: FrameHost): OverlayLinkStatus {
    return this.#end(from, to).link.describe();
  }

  #end(from: FrameHost, to: FrameHost): End {
    for (const { a, b } of this.connections) {
      if (a.host === from && b.host === to) return a;
      if (b.host === from && a.host === to) return b;
    }
    throw new Error(`no connection between ${from.number} and ${to.number}`);
  }

  /** Sends a frame from a container of one host; returns how often each host got it, by number. */
  sends(from: FrameHost, destination: number, length = 60): Record<number, number> {
    const frame = frameBetween(destination, macOf(from), ++this.#frames, length);
    const before = this.hosts.map(({ delivered }) => delivered.length);
    from.capture(frame);
    this.clock.run(50);
    const got: Record<number, number> = {};
    for (const [index, host] of this.hosts.entries()) {
      const copies = host.delivered
        .slice(before[index]!)
        .filter((each) => each.every((octet, at) => octet === frame[at]));
      if (copies.length > 0) got[host.number] = copies.length;
    }
    return got;
  }
}

/** How a host knows its own connection: what it has heard may be older. */
function seenFrom(host: FrameHost, own: Pair, heard: readonly Pair[]): Pair {
  const told = heard.find(({ connection }) => connection === own.connection);
  const [a = false, b = false] = told?.established ?? [];
  const [atA, atB] = own.established;
  return { ...own, established: own.hosts[0] === host ? [atA, b] : [a, atB] };
}

function reachedFrom(host: FrameHost, pairs: readonly Pair[]): Set<FrameHost> {
  const reached = new Set([host]);
  for (const each of reached) {
    for (const { hosts } of pairs) {
      if (hosts.includes(each)) for (const other of hosts) reached.add(other);
    }
  }
  return reached;
}

/** Of the container on a host. */
export function macOf({ number }: FrameHost): number {
  return 0x020000000000 + number;
}

export const broadcastMac = 0xffffffffffff;
export const unknownMac = 0x0200000000ff;

export { readMac };

/** Does what it is given in that order, each a while later. */
class Queue {
  readonly #clock: VirtualClock;
  #lastMs = 0;

  constructor(clock: VirtualClock) {
    this.#clock = clock;
  }

  after(delayMs: number, action: () => void): void {
    const { nowMs } = this.#clock;
    this.#lastMs = Math.max(this.#lastMs, nowMs + delayMs);
    if (this.#lastMs === nowMs) action();
    else this.#clock.after(this.#lastMs - nowMs, action);
  }
}
