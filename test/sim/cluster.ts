import { formatIpv4, type IpAddress } from "../../lib/base/ip.ts";
import { formatPeerName, type PeerName } from "../../lib/base/peer-name.ts";
import { portableSecretBox } from "../../lib/base/secret-box.ts";
import type { LaunchOptions } from "../../lib/daemon/launch-options.ts";
import type { NameTable } from "../../lib/dns/name-table.ts";
import type { Allocator } from "../../lib/ipam/allocator.ts";
import { type ControlPlane, makeControlPlane } from "../../lib/peer/control-plane.ts";
import { MemoryStore } from "../ipam/memory-store.ts";
import { InstantOverlay } from "./instant-overlay.ts";
import { MemoryNetwork } from "./memory-network.ts";
import { ipOf, simName, simPort } from "./mesh-peer.ts";
import { VirtualClock } from "./virtual-clock.ts";
import { SimWorld } from "./world.ts";

/** How long an overlay link takes to work after both sides have confirmed it. */
const overlayDelayMs = 5;

/** What survives a process of a peer: its disk. */
interface Disk {
  readonly allocations: MemoryStore;
  targets: readonly string[];
}

/** One process of a peer with all of its protocols: mesh, address allocation and names. */
export interface SimPeer {
  readonly number: number;
  readonly name: PeerName;
  readonly ip: string;
  readonly world: SimWorld;
  readonly plane: ControlPlane;
  /** Names registered by this process and not removed since. */
  readonly names: Map<string, IpAddress>;
}

/**
 * A whole cluster in one process: the production code of every peer on a virtual clock and a
 * network in memory. Peers have the numbers 1, 2, 3 …; everything random follows from the seed.
 */
export class SimCluster {
  readonly clock = new VirtualClock();
  readonly network: MemoryNetwork;
  readonly #seed: number;
  readonly #peers = new Map<number, SimPeer>();
  readonly #disks = new Map<number, Disk>();
  readonly #options: Partial<LaunchOptions>;
  #started = 0;

  constructor(seed: number, options: Partial<LaunchOptions> = {}) {
    this.#seed = seed;
    this.#options = options;
    this.network = new MemoryNetwork(this.clock, seed, { delayMs: 1, jitterMs: 10 });
  }

  get peers(): SimPeer[] {
    return [...this.#peers.values()];
  }

  peer(number: number): SimPeer | undefined {
    return this.#peers.get(number);
  }

  /** Of a peer that was started at least once. */
  disk(number: number): Disk | undefined {
    return this.#disks.get(number);
  }

  /** Starts a process of peer `number`; one that ran before finds its disk, unless it lost it. */
  start(number: number, targets: readonly string[], options: { diskLost?: boolean } = {}): SimPeer {
    if (options.diskLost) this.#disks.delete(number);
    const disk = this.#disks.get(number) ?? { allocations: new MemoryStore(), targets };
    this.#disks.set(number, disk);
    const ip = ipOf(number);
    const world = new SimWorld(this.clock, this.#seed * 1_000_003 + this.#started++);
    const host = this.network.host(ip);
    const plane = makeControlPlane(world, launchOptions(number, this.#options), {
      name: simName(number),
      transport: host.transport,
      overlay: new InstantOverlay(world, overlayDelayMs),
      secretBox: portableSecretBox,
      allocatorStore: disk.allocations,
      saveTargets: (saved) => {
        disk.targets = saved;
      },
      onRoutes() {},
      onEvent() {},
    });
    const peer = { number, name: simName(number), ip, world, plane, names: new Map() };
    host.listen(simPort, (stream) => plane.mesh.accepted(stream));
    this.#peers.set(number, peer);
    plane.ipam?.allocator.start([]);
    plane.mesh.start(disk.targets);
    return peer;
  }

  /** Stops a process in good order. */
  stop(number: number): void {
    this.#peers.get(number)?.plane.stop();
    this.#peers.delete(number);
  }

  /** Ends a process at once; with `silent` the machine, so that the others hear nothing of it. */
  kill(number: number, options: { silent: boolean }): void {
    const peer = this.#peers.get(number);
    if (peer === undefined) return;
    this.network.host(peer.ip).crash(options);
    peer.plane.stop();
    this.#peers.delete(number);
  }

  /** Lets virtual time pass; promises that requests wait for settle in between. */
  async run(durationMs: number, sliceMs = 100): Promise<void> {
    for (let left = durationMs; left > 0; left -= sliceMs) {
      this.clock.run(Math.min(left, sliceMs));
      await Promise.resolve();
    }
  }

  /** @throws Error when `reached` does not hold within `limitMs` of virtual time */
  async runUntil(what: string, reached: () => boolean, limitMs: number): Promise<number> {
    const startMs = this.clock.nowMs;
    while (!reached()) {
      if (this.clock.nowMs - startMs >= limitMs) {
        throw new Error(`${what}: not within ${limitMs} ms of virtual time`);
      }
      await this.run(100);
    }
    return this.clock.nowMs - startMs;
  }

  /** Whether every peer has a link to every other and knows of it. */
  isFullMesh(): boolean {
    const others = this.#peers.size - 1;
    return this.peers.every(({ plane }) => {
      const { peers, connections } = plane.mesh.status();
      const links = connections.filter(({ state }) => state === "established");
      return peers.length === others + 1 && links.length === others;
    });
  }

  allocatorOf(peer: SimPeer): Allocator {
    return peer.plane.ipam!.allocator;
  }

  namesOf(peer: SimPeer): NameTable {
    return peer.plane.names!;
  }

  /** Addresses that two peers hold at once; none, whatever happens. */
  doublyHeld(): string[] {
    const holder = new Map<number, number>();
    const twice: string[] = [];
    for (const peer of this.peers) {
      for (const { cidrs } of this.allocatorOf(peer).list()) {
        for (const { address } of cidrs) {
          const other = holder.get(address);
          if (other !== undefined) {
            twice.push(`${formatIpv4(address)} at ${other} and ${peer.number}`);
          }
          holder.set(address, peer.number);
        }
      }
    }
    return twice;
  }

  /** Each peer's view of who owns what, as text; all alike once things have settled. */
  rings(): string[] {
    return this.peers.map((peer) => {
      const { ranges } = this.allocatorOf(peer).status();
      return (ranges ?? [])
        .map(
          ({ token, size, peer: owner }) => `${formatIpv4(token)}+${size} ${formatPeerName(owner)}`,
        )
        .join("; ");
    });
  }

  /** Each peer's view of the live names, as text. */
  nameViews(): string[] {
    return this.peers.map((peer) =>
      this.namesOf(peer)
        .entries()
        .filter(({ tombstone }) => tombstone === 0)
        .map(({ hostname, address, origin }) => `${hostname} ${formatIpv4(address)} ${origin}`)
        .sort()
        .join("; "),
    );
  }

  /** What every view of the names should be: the registrations of all live peers. */
  registeredNames(): string {
    return this.peers
      .flatMap(({ name, names }) =>
        [...names].map(([fqdn, address]) => `${fqdn} ${formatIpv4(Number(address.value))} ${name}`),
      )
      .sort()
      .join("; ");
  }
}

function launchOptions(number: number, options: Partial<LaunchOptions>): LaunchOptions {
  return {
    peers: [],
    resume: false,
    host: "",
    port: simPort,
    minProtocolVersion: 1,
    nickname: `host${number}`,
    trustedSubnets: [],
    discovery: true,
    connectionLimit: 200,
    ipalloc: { range: "10.32.0.0/16", rangeGiven: true, defaultSubnet: "10.32.0.0/16", init: "" },
    dns: { domain: "weave.local.", ttlSeconds: 1, fallbackTimeoutMs: 5000, resolvConf: "" },
    mtu: 0,
    fastdp: false,
    bridgedFastdp: false,
    weaveBridge: "weave",
    dockerBridge: "docker0",
    datapath: "datapath",
    masqueradeLocal: true,
    captureBufferMegabytes: 8,
    httpAddress: "",
    statusAddress: "",
    metricsAddress: "",
    dockerApi: "",
    logLevel: "info",
    packetDebug: false,
    restart: false,
    ...options,
  };
}
