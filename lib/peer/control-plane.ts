import { utf8 } from "../base/bytes.ts";
import type { Endpoint } from "../base/endpoint.ts";
import { type Ipv4Cidr, parseCidr, parseIpv4Cidr } from "../base/ip.ts";
import type { Overlay } from "../base/overlay.ts";
import { unicastRoutes } from "../base/peer-graph.ts";
import type { PeerName } from "../base/peer-name.ts";
import { type RoutesSnapshot, snapshotGraph } from "../base/routes-snapshot.ts";
import type { SecretBox } from "../base/secret-box.ts";
import type { World } from "../base/world.ts";
import { NameTable } from "../dns/name-table.ts";
import type { AddressNews } from "../ipam/address-news.ts";
import { Allocator } from "../ipam/allocator.ts";
import type { AllocatorStore } from "../ipam/allocator-store.ts";
import { parseInitMode } from "../ipam/init-mode.ts";
import type { Fence } from "../ipam/reclaim-lease.ts";
import { linksChannel, SharedLinks } from "../links/shared-links.ts";
import type { ProtocolVersion } from "../mesh/header.ts";
import { Mesh } from "../mesh/mesh.ts";
import type { MeshEvent } from "../mesh/mesh-config.ts";
import type { Passage } from "../mesh/passage.ts";
import type { Transport } from "../mesh/transport.ts";
import type { RecordStore } from "../policy/gossip/record-table.ts";
import { policyChannel, SharedPolicy } from "../policy/gossip/shared-policy.ts";
import { FlightRecorder } from "./flight-recorder.ts";
import { likelyTellers, ownLinks } from "./own-links.ts";

/** What the operator chose for the protocols, as launch options say it. */
export interface ControlPlaneOptions {
  readonly nickname: string;
  readonly port: number;
  /** Absent: nothing is sealed. */
  readonly password?: string | undefined;
  readonly minProtocolVersion: ProtocolVersion;
  readonly maxProtocolVersion?: ProtocolVersion;
  readonly discovery: boolean;
  /** 0 for no limit. */
  readonly connectionLimit: number;
  readonly trustedSubnets: readonly string[];
  /** False to speak as the original does, also with peers that could do more. */
  readonly extensions?: boolean;
  /** Absent: allocation is off. */
  readonly ipalloc?:
    | {
        readonly range: string;
        readonly defaultSubnet: string;
        readonly init: string;
        /** Whether freed addresses rest before they are given out again; absent: not. */
        readonly reuse?: "lowest-first" | "rested" | undefined;
        /** Silence after which the ranges of a peer may be taken; 0 or absent for never. */
        readonly reclaimAfterMs?: number | undefined;
      }
    | undefined;
  /** Absent: names are off. */
  readonly dns?: { readonly domain: string } | undefined;
}

/** Channels as the original names them. */
const ipamChannel = "IPallocation";
const dnsChannel = "nameserver";

/** What the control plane needs of the machine, or of a simulation of one. */
export interface ControlPlaneDependencies {
  readonly name: PeerName;
  readonly transport: Transport;
  readonly overlay: Overlay;
  readonly secretBox: SecretBox;
  readonly allocatorStore: AllocatorStore;
  /** Told who holds which addresses of this host. */
  readonly addressNews?: AddressNews;
  /** Of what peers tell each other of policies; missing: this one has no part in that. */
  readonly policyStore?: RecordStore;
  /** Whether a lease on ranges still holds; replaced only to show what happens without. */
  readonly fence?: Fence;
  /** Of an earlier process, where a datapath still forwards by it. */
  readonly formerShortId?: number | undefined;
  saveTargets(targets: readonly string[]): void;
  onRoutes(snapshot: RoutesSnapshot): void;
  onEvent(event: PlaneEvent): void;
  /** Gossip comes or goes by a link. */
  onPassage?(passage: Passage): void;
}

/** What happens in the mesh; `appeared`: a peer is heard of that was not known. */
export type PlaneEvent =
  | MeshEvent
  | { readonly kind: "appeared"; readonly peer: PeerName; readonly nickname: string };

/** The pure protocols of one peer, put together: mesh, address allocation, names, policies and links. */
export interface ControlPlane {
  readonly mesh: Mesh;
  /** Missing when address allocation is off. */
  readonly ipam: { readonly allocator: Allocator; readonly defaultSubnet: Ipv4Cidr } | undefined;
  /** Missing when DNS is off. */
  readonly names: NameTable | undefined;
  /** Missing when this peer takes no part in policies. */
  readonly policies: SharedPolicy | undefined;
  /** Missing when this peer speaks as the original does. */
  readonly links: SharedLinks | undefined;
  readonly recorder: FlightRecorder;
  stop(): void;
  /** As {@link Mesh.suspend}; nothing is allocated, stored or told any more. */
  suspend(deserted: () => void): Endpoint[];
}

export function makeControlPlane(
  world: World,
  options: ControlPlaneOptions,
  dependencies: ControlPlaneDependencies,
): ControlPlane {
  let ipam: ControlPlane["ipam"];
  let names: NameTable | undefined;
  let policies: SharedPolicy | undefined;
  let links: SharedLinks | undefined;
  const known = new Set<PeerName>();
  const recorder = new FlightRecorder(world);
  const reach = new Reach(dependencies.name);
  const { formerShortId } = dependencies;
  const config = {
    ...meshConfig(options, dependencies.name),
    ...(formerShortId !== undefined && { formerShortId }),
  };
  const mesh = new Mesh(world, config, {
    ...dependencies,
    onPassage(passage) {
      recorder.passed(passage);
      dependencies.onPassage?.(passage);
    },
    onEvent(event) {
      if (event.kind === "refused") recorder.refused(event.channel, event.origin, event.error);
      dependencies.onEvent(event);
    },
    onRoutes(snapshot) {
      dependencies.onRoutes(snapshot);
      recorder.routes(snapshot);
      reach.routes = snapshot;
      for (const { name } of snapshot.peers) {
        if (known.has(name)) continue;
        known.add(name);
        names?.peerAppeared(name);
        policies?.peerAppeared(name);
        if (name === dependencies.name) continue;
        links?.peerAppeared(name);
        dependencies.onEvent({
          ...{ kind: "appeared", peer: name, nickname: mesh.nickname(name) ?? "" },
        });
      }
    },
    onPeerGone(name) {
      known.delete(name);
      ipam?.allocator.peerGone(name);
      names?.peerGone(name);
      policies?.peerGone(name);
      links?.peerGone(name);
    },
  });
  if (options.ipalloc !== undefined) {
    ipam = makeIpam(world, { mesh, recorder }, options, options.ipalloc, dependencies);
    const { allocator } = ipam;
    allocator.setChannel(mesh.join(ipamChannel, allocator.channel));
  }
  if (options.dns !== undefined) {
    names = new NameTable(world, {
      self: dependencies.name,
      domain: options.dns.domain,
      isKnownPeer: (peer) => mesh.isKnown(peer),
      clockShown: (peer, unixMs) => mesh.clockShown(peer, unixMs),
      unreachablePeers: () => reach.unreachable,
    });
    names.setChannel(mesh.join(dnsChannel, names));
  }
  if (dependencies.policyStore !== undefined) {
    policies = new SharedPolicy(world, {
      self: dependencies.name,
      store: dependencies.policyStore,
      isKnownPeer: (peer) => mesh.isKnown(peer),
    });
    if (options.extensions !== false) policies.setChannel(mesh.join(policyChannel, policies));
  }
  if (options.extensions !== false) links = joinLinks(world, mesh, dependencies.name);
  const stopOwners = (): void => {
    ipam?.allocator.stop();
    names?.stop();
    policies?.stop();
    links?.stop();
  };
  return {
    mesh,
    ipam,
    names,
    policies,
    links,
    recorder,
    stop() {
      mesh.stop();
      stopOwners();
    },
    suspend(deserted) {
      const addresses = mesh.suspend(deserted);
      stopOwners();
      return addresses;
    },
  };
}

function joinLinks(world: World, mesh: Mesh, self: PeerName): SharedLinks {
  const links = new SharedLinks(world, {
    own: () => ownLinks(mesh.connections()),
    peers: () => mesh.knownPeers().length,
    isKnownPeer: (peer) => mesh.isKnown(peer),
    tellers: () => likelyTellers(mesh, self),
  });
  links.setChannel(mesh.join(linksChannel, links));
  return links;
}

/** Who is known and cannot be reached by frames; worked out when it is asked for. */
class Reach {
  readonly #self: PeerName;
  #routes: RoutesSnapshot | undefined;
  #unreachable: ReadonlySet<PeerName> | undefined = new Set();

  constructor(self: PeerName) {
    this.#self = self;
  }

  set routes(snapshot: RoutesSnapshot) {
    this.#routes = snapshot;
    this.#unreachable = undefined;
  }

  get unreachable(): ReadonlySet<PeerName> {
    this.#unreachable ??= this.#find();
    return this.#unreachable;
  }

  #find(): ReadonlySet<PeerName> {
    if (this.#routes === undefined) return new Set();
    const reached = unicastRoutes(snapshotGraph(this.#routes), this.#self);
    const names = this.#routes.peers.map(({ name }) => name);
    return new Set(names.filter((name) => !reached.has(name)));
  }
}

function meshConfig(options: ControlPlaneOptions, name: PeerName) {
  return {
    name,
    nickname: options.nickname,
    port: options.port,
    ...(options.password !== undefined && { password: utf8(options.password) }),
    minProtocolVersion: options.minProtocolVersion,
    ...(options.maxProtocolVersion !== undefined && {
      maxProtocolVersion: options.maxProtocolVersion,
    }),
    discovery: options.discovery,
    connectionLimit: options.connectionLimit,
    trustedSubnets: options.trustedSubnets.map(parseCidr),
    ...(options.extensions === false && { extensions: [] }),
  };
}

function makeIpam(
  world: World,
  { mesh, recorder }: Pick<ControlPlane, "mesh" | "recorder">,
  options: ControlPlaneOptions,
  ipalloc: NonNullable<ControlPlaneOptions["ipalloc"]>,
  dependencies: ControlPlaneDependencies,
): NonNullable<ControlPlane["ipam"]> {
  const defaultSubnet = parseIpv4Cidr(ipalloc.defaultSubnet);
  const config = {
    self: dependencies.name,
    nickname: options.nickname,
    uid: mesh.uid,
    universe: parseIpv4Cidr(ipalloc.range),
    defaultSubnet,
    init: parseInitMode(ipalloc.init),
    ...(ipalloc.reuse !== undefined && { reuse: ipalloc.reuse }),
    reclaimAfterMs: ipalloc.reclaimAfterMs ?? 0,
    ...(dependencies.fence !== undefined && { fence: dependencies.fence }),
    ...(dependencies.addressNews !== undefined && { news: dependencies.addressNews }),
    clockShown: (peer: PeerName, unixMs: number) => mesh.clockShown(peer, unixMs),
    // Every configured peer is expected to vote, and so are we; not those that turned out to be us.
    quorumPeers: () => mesh.targets.length - ownTargets(mesh) + 1,
    onRingChanged: () => recorder.ring(allocator.status().ranges ?? []),
  };
  const allocator: Allocator = new Allocator(world, config, mesh, dependencies.allocatorStore);
  return { allocator, defaultSubnet };
}

/** Targets that can never be connected to because they are this peer, or one of its name. */
function ownTargets(mesh: Mesh): number {
  return mesh.status().connections.filter(({ error }) => isOurself(error?.code)).length;
}

function isOurself(code: string | undefined): boolean {
  return code === "CONNECT_SELF" || code === "NAME_COLLISION";
}
