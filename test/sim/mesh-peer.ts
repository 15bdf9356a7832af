import type { Overlay } from "../../lib/base/overlay.ts";
import type { PeerName } from "../../lib/base/peer-name.ts";
import type { RoutesSnapshot } from "../../lib/base/routes-snapshot.ts";
import { Mesh } from "../../lib/mesh/mesh.ts";
import type { MeshConfig, MeshEvent } from "../../lib/mesh/mesh-config.ts";
import { InstantOverlay } from "./instant-overlay.ts";
import { MemoryNetwork } from "./memory-network.ts";
import { VirtualClock } from "./virtual-clock.ts";
import { WordChannel } from "./word-channel.ts";
import { SimWorld } from "./world.ts";

export const simPort = 6783;

/** One process of a peer on a simulated host. */
export interface MeshPeer {
  readonly name: PeerName;
  readonly ip: string;
  readonly world: SimWorld;
  readonly mesh: Mesh;
  readonly overlay: InstantOverlay;
  readonly events: MeshEvent[];
  readonly saved: string[];
  /** Peers that were reported as gone. */
  readonly gone: PeerName[];
  /** Owners of the channels that were joined. */
  readonly channels: ReadonlyMap<string, WordChannel>;
  /** The latest view handed to the data plane. */
  routes: RoutesSnapshot | undefined;
}

export interface MeshPeerOptions extends Partial<MeshConfig> {
  /** Channels to join before the start; each has an owner of its own. */
  readonly channels?: readonly string[];
  /** How long an overlay link takes to work; infinite for never. */
  readonly overlayDelayMs?: number;
  /** In place of one whose links simply work. */
  readonly realOverlay?: Overlay;
}

/** Peers 1, 2, 3 … with addresses 10.0.0.1, 10.0.0.2 … on one simulated network. */
export class MeshCluster {
  readonly clock = new VirtualClock();
  readonly network: MemoryNetwork;
  readonly #peers = new Map<number, MeshPeer>();
  readonly #seed: number;
  readonly #defaults: MeshPeerOptions;
  /** Address of peer `n`. */
  readonly ipOf: (n: number) => string;
  #started = 0;

  /** Everything random follows from `seed`. */
  constructor(seed: number, defaults: MeshPeerOptions = {}, addresses = ipOf) {
    this.#seed = seed;
    this.#defaults = defaults;
    this.ipOf = addresses;
    this.network = new MemoryNetwork(this.clock, seed, { delayMs: 1, jitterMs: 2 });
  }

  get peers(): MeshPeer[] {
    return [...this.#peers.values()];
  }

  peer(n: number): MeshPeer {
    return this.#peers.get(n)!;
  }

  /** Starts the process of peer `n`, also again, with addresses as a user would type them. */
  start(n: number, targets: readonly string[], options: MeshPeerOptions = {}): MeshPeer {
    const ip = this.ipOf(n);
    const world = new SimWorld(this.clock, this.#seed * 1_000_003 + this.#started++);
    const all = { ...this.#defaults, ...options };
    const { channels = [], overlayDelayMs = 5, realOverlay, ...config } = all;
    const overlay = new InstantOverlay(world, overlayDelayMs);
    const host = this.network.host(ip);
    const peer: MeshPeer = {
      name: simName(n),
      ip,
      world,
      overlay,
      events: [],
      saved: [],
      gone: [],
      channels: new Map(channels.map((channel) => [channel, new WordChannel()])),
      routes: undefined,
      mesh: new Mesh(world, meshConfig(n, config), {
        transport: host.transport,
        overlay: realOverlay ?? overlay,
        saveTargets: (texts) => peer.saved.splice(0, peer.saved.length, ...texts),
        onRoutes: (snapshot) => {
          peer.routes = snapshot;
        },
        onPeerGone: (name) => peer.gone.push(name),
        onEvent: (event) => peer.events.push(event),
      }),
    };
    for (const [name, owner] of peer.channels) owner.channel = peer.mesh.join(name, owner);
    host.listen(simPort, (stream) => peer.mesh.accepted(stream));
    this.#peers.set(n, peer);
    peer.mesh.start(targets);
    return peer;
  }

  /** Stops peer `n` in good order. */
  stop(n: number): void {
    this.peer(n).mesh.stop();
    this.#peers.delete(n);
  }

  /** Ends the process of peer `n`; with `silent` its whole machine. */
  kill(n: number, options: { readonly silent: boolean }): void {
    const peer = this.peer(n);
    this.network.host(peer.ip).crash(options);
    peer.mesh.stop();
    this.#peers.delete(n);
  }

  /** Whether every peer sees established links between all pairs, and nobody else. */
  isFullMesh(): boolean {
    const size = this.#peers.size;
    return this.peers.every(
      ({ routes }) =>
        routes?.peers.length === size && routes.links.length === (size * (size - 1)) / 2,
    );
  }

  /** Whether every peer reaches all others over established links, however many hops. */
  isConnected(): boolean {
    return this.peers.every(({ mesh }) => mesh.status().unicastRoutes.length === this.#peers.size);
  }
}

/** `0n:00:00:0n:00:00`; from 256 on the first octet goes round, for a name has 48 bits. */
export function simName(n: number): PeerName {
  return ((n % 256) * 2 ** 40 + n * 2 ** 16) as PeerName;
}

export function ipOf(n: number): string {
  return `10.0.${n >> 8}.${n & 255}`;
}

function meshConfig(n: number, config: Partial<MeshConfig>): MeshConfig {
  return {
    name: simName(n),
    nickname: `host${n}`,
    port: simPort,
    minProtocolVersion: 1,
    discovery: true,
    connectionLimit: 200,
    trustedSubnets: [],
    ...config,
  };
}
