import { formatIpv4, type IpAddress } from "../base/ip.ts";
import { formatPeerName, type PeerName } from "../base/peer-name.ts";
import { portableSecretBox } from "../base/secret-box.ts";
import type { NameTable } from "../dns/name-table.ts";
import type { Allocator } from "../ipam/allocator.ts";
import type { Fence } from "../ipam/reclaim-lease.ts";
import type { Passage } from "../mesh/passage.ts";
import {
  type ControlPlane,
  type ControlPlaneOptions,
  makeControlPlane,
  type PlaneEvent,
} from "../peer/control-plane.ts";
import { Disk } from "./disk.ts";
import { InstantOverlay } from "./instant-overlay.ts";
import { type Link, MemoryNetwork } from "./memory-network.ts";
import { VirtualClock } from "./virtual-clock.ts";
import { SimWorld } from "./world.ts";

export const simPort = 6783;

/** How long an overlay link takes to work after both sides have confirmed it. */
const overlayDelayMs = 5;

/** One process of a peer with all of its protocols: mesh, addresses, names and policies. */
export interface SimPeer {
  readonly number: number;
  readonly name: PeerName;
  readonly ip: string;
  readonly world: SimWorld;
  readonly plane: ControlPlane;
  /** Names registered by this process and not removed since. */
  readonly names: Map<string, IpAddress>;
}

export interface ClusterOptions {
  /** Who a peer is; {@link simName} and `host` with its number where it is missing. */
  readonly identity?: (number: number) => { readonly name: PeerName; readonly nickname: string };
  readonly control?: Partial<ControlPlaneOptions>;
  readonly link?: Partial<Link>;
  /** What allocators ask before they use their ranges, instead of their leases. */
  readonly fence?: Fence;
  /** Called for each new process before it starts. */
  readonly onProcess?: (peer: SimPeer) => void;
  readonly onEvent?: (number: number, event: PlaneEvent) => void;
  readonly onPassage?: (number: number, passage: Passage) => void;
}

interface StartOptions {
  /** The machine comes back without what it had stored. */
  readonly diskLost?: boolean;
  /** What this process is told beyond what all are told. */
  readonly control?: Partial<ControlPlaneOptions>;
}

/**
 * A whole cluster in one process: the production code of every peer on a virtual clock and a
 * network in memory. Peers have the numbers 1, 2, 3 …; everything random follows from the seed.
 */
export class SimCluster {
  readonly clock = new VirtualClock();
  readonly network: MemoryNetwork;
  /** Of every process that ever ran. */
  readonly worlds: SimWorld[] = [];
  readonly #seed: number;
  readonly #peers = new Map<number, SimPeer>();
  readonly #disks = new Map<number, Disk>();
  /** By peer: what ends the way of its process to its disk. */
  readonly #unplug = new Map<number, () => void>();
  readonly #options: ClusterOptions;
  readonly #starts = new Map<number, number>();

  constructor(seed: number, options: ClusterOptions = {}) {
    this.#seed = seed;
    this.#options = options;
    const link = { delayMs: 1, jitterMs: 10, ...options.link };
    this.network = new MemoryNetwork(this.clock, seed, link);
  }

  /** Those that run, in the order of their starts. */
  get peers(): SimPeer[] {
    return [...this.#peers.values()];
  }

  peer(number: number): SimPeer | undefined {
    return this.#peers.get(number);
  }

  disk(number: number): Disk | undefined {
    return this.#disks.get(number);
  }

  /** Gives a peer a disk with something on it, before its first start. */
  install(number: number, disk: Disk): void {
    this.#disks.set(number, disk);
  }

  nameOf(number: number): PeerName {
    return this.#options.identity?.(number).name ?? simName(number);
  }

  /** Starts a process of peer `number`; one that ran before finds its disk, unless it lost it. */
  start(number: number, targets: readonly string[], options: StartOptions = {}): SimPeer {
    if (options.diskLost) this.#disks.delete(number);
    const disk = this.#disks.get(number) ?? new Disk(targets);
    this.#disks.set(number, disk);
    const peer = this.#makeProcess(number, disk, options.control);
    this.network.host(peer.ip).listen(simPort, (stream) => peer.plane.mesh.accepted(stream));
    this.#peers.set(number, peer);
    this.#options.onProcess?.(peer);
    peer.plane.ipam?.allocator.start([]);
    peer.plane.mesh.start(disk.targets);
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
    this.#unplug.get(number)?.();
    peer.plane.stop();
    this.#peers.delete(number);
  }

  /** The disk of a peer that does not run is lost. */
  wipe(number: number): void {
    this.#disks.delete(number);
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
    return this.peers.map((peer) => ringView(this.allocatorOf(peer)));
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

  #makeProcess(number: number, disk: Disk, control: Partial<ControlPlaneOptions> = {}): SimPeer {
    const start = this.#starts.get(number) ?? 0;
    this.#starts.set(number, start + 1);
    // Of this peer and this start alone: what others do must not change it.
    const world = new SimWorld(this.clock, this.#seed * 1_000_003 + number * 65_537 + start);
    this.worlds.push(world);
    const ip = ipOf(number);
    const store = disk.open();
    this.#unplug.set(number, () => store.close());
    const identity = this.#options.identity?.(number);
    const options = controlOptions(number, {
      ...(identity !== undefined && { nickname: identity.nickname }),
      ...this.#options.control,
      ...control,
    });
    const name = this.nameOf(number);
    const plane = makeControlPlane(world, options, {
      name,
      transport: this.network.host(ip).transport,
      overlay: new InstantOverlay(world, overlayDelayMs),
      secretBox: portableSecretBox,
      allocatorStore: store.addresses,
      policyStore: store.policies,
      saveTargets: (saved) => {
        disk.targets = saved;
      },
      onRoutes() {},
      onEvent: (event) => this.#options.onEvent?.(number, event),
      onPassage: (passage) => this.#options.onPassage?.(number, passage),
      ...(this.#options.fence !== undefined && { fence: this.#options.fence }),
    });
    return { number, name, ip, world, plane, names: new Map() };
  }
}

/** `token+size owner; …` of one peer. */
export function ringView(allocator: Allocator): string {
  return (allocator.status().ranges ?? [])
    .map(({ token, size, peer: owner }) => `${formatIpv4(token)}+${size} ${formatPeerName(owner)}`)
    .join("; ");
}

/** From 256 on the first octet goes round, for a name has 48 bits. */
export function simName(number: number): PeerName {
  return ((number % 256) * 2 ** 40 + number * 2 ** 16) as PeerName;
}

export function ipOf(number: number): string {
  return `10.0.${number >> 8}.${number & 255}`;
}

function controlOptions(
  number: number,
  options: Partial<ControlPlaneOptions>,
): ControlPlaneOptions {
  return {
    port: simPort,
    minProtocolVersion: 1,
    nickname: `host${number}`,
    trustedSubnets: [],
    discovery: true,
    connectionLimit: 200,
    ipalloc: { range: "10.32.0.0/16", defaultSubnet: "10.32.0.0/16", init: "" },
    dns: { domain: "weave.local." },
    ...options,
  };
}
