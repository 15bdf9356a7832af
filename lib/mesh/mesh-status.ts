import { formatEndpoint } from "../base/endpoint.ts";
import { type Cidr, formatCidr } from "../base/ip.ts";
import type { LinkTraffic, OverlayTraffic } from "../base/overlay.ts";
import { formatPeerName, type PeerName } from "../base/peer-name.ts";
import type { World } from "../base/world.ts";
import type { ConnectionMaker, TargetStatus } from "./connection-maker.ts";
import type { GossipRouter } from "./gossip-router.ts";
import type { ChannelTally } from "./gossip-tally.ts";
import { type ProtocolVersion, versionMax } from "./header.ts";
import type { Links } from "./links.ts";
import type { LinkLoss } from "./loss-meter.ts";
import type { Neighbour } from "./neighbour.ts";
import type { PeerRecord } from "./peer-record.ts";
import type { Peers } from "./peers.ts";
import type { Refusal } from "./refusals.ts";
import type { Routes } from "./routes.ts";
import type { Topology } from "./topology.ts";

/** What `report` and `status` show of the mesh (mesh-protocol §12), as plain data. */
export interface MeshStatus {
  readonly protocolMinVersion: number;
  readonly protocolMaxVersion: number;
  readonly encryption: boolean;
  readonly peerDiscovery: boolean;
  readonly name: string;
  readonly nickname: string;
  readonly port: number;
  readonly peers: readonly PeerStatus[];
  /** Over established links; `via` is the zero name for ourselves. */
  readonly unicastRoutes: readonly { readonly dest: string; readonly via: string }[];
  readonly broadcastRoutes: readonly { readonly source: string; readonly via: readonly string[] }[];
  readonly connections: readonly ConnectionStatus[];
  readonly terminationCount: number;
  /** As typed. */
  readonly targets: readonly string[];
  readonly trustedSubnets: readonly string[];
  readonly channels: readonly { readonly name: string; readonly surrogate: boolean }[];
  /** Payloads that were refused, by channel and origin. */
  readonly refusals: readonly Refusal[];
}

export interface PeerStatus {
  readonly name: string;
  readonly nickname: string;
  readonly uid: bigint;
  readonly shortId: number | undefined;
  readonly version: bigint;
  readonly connections: readonly PeerLinkStatus[];
}

export interface PeerLinkStatus {
  readonly name: string;
  readonly nickname: string;
  readonly address: string;
  readonly outbound: boolean;
  readonly established: boolean;
}

export type ConnectionState =
  | "established"
  | "pending"
  | "connecting"
  | "retrying"
  | "failed"
  | "waiting";

/** A connection, or an attempt to make one. */
export interface ConnectionStatus {
  readonly address: string;
  readonly outbound: boolean;
  readonly state: ConnectionState;
  /** The original's text. */
  readonly info: string;
  /** What the overlay says of itself, its name first; missing before one is chosen. */
  readonly attributes?: Readonly<Record<string, string | number | boolean>>;
  /** Whom it leads to; missing for an attempt. */
  readonly peer?: { readonly name: string; readonly nickname: string };
  /** Why this overlay and not a better one. */
  readonly reason?: string;
  /** Whether both peers have a better overlay that does not work between them. */
  readonly degraded?: boolean;
  /** Wall clock in milliseconds since when frames take this overlay. */
  readonly sinceMs?: number;
  /** The last failure, with what to do about it. */
  readonly error?: { readonly code: string; readonly text: string; readonly remedy?: string };
  /** From here to the remote machine and back, where this one knows. */
  readonly roundTripMs?: number;
  /** Milliseconds that the clock of the peer is ahead of ours, negative when behind; missing if unknown. */
  readonly clockOffsetMs?: number;
  /** How often an overlay of it was given up for a while because heartbeats stayed away. */
  readonly losses?: number;
  /** Frames of containers since it was established; missing where nothing counts. */
  readonly traffic?: LinkTraffic;
  /** The same by overlay. */
  readonly carried?: readonly OverlayTraffic[];
  /** Frames that were sent and did not arrive; missing where the ends have nothing to compare. */
  readonly loss?: LinkLoss;
  /** `name/version` of what both sides can do beyond the original; missing for nothing. */
  readonly extensions?: readonly string[];
  /** Wall clock in milliseconds; missing for never. */
  readonly retryAtMs?: number;
}

/** What of its configuration is shown. */
interface ShownConfig {
  readonly name: PeerName;
  readonly nickname: string;
  readonly port: number;
  readonly minProtocolVersion: ProtocolVersion;
  readonly maxProtocolVersion?: ProtocolVersion;
  readonly discovery: boolean;
  readonly trustedSubnets: readonly Cidr[];
  readonly connectionLimit: number;
}

/** What of a mesh is looked at. */
export interface ShownMesh {
  readonly world: Pick<World, "now" | "monotonicMs">;
  readonly config: ShownConfig;
  readonly passwordSet: boolean;
  readonly topology: Pick<Topology, "peers" | "routes">;
  readonly links: Pick<Links, "table" | "terminations" | "tally">;
  readonly maker: Pick<ConnectionMaker, "targets" | "directTexts">;
  readonly gossip: Pick<GossipRouter, "channels">;
  readonly refusals: readonly Refusal[];
}

export function meshStatus(shown: ShownMesh): MeshStatus {
  const { config, topology, links, maker, gossip, refusals } = shown;
  return {
    protocolMinVersion: config.minProtocolVersion,
    protocolMaxVersion: config.maxProtocolVersion ?? versionMax,
    encryption: shown.passwordSet,
    peerDiscovery: config.discovery,
    name: formatPeerName(config.name),
    nickname: config.nickname,
    port: config.port,
    peers: peerStatuses(topology.peers),
    unicastRoutes: unicastStatuses(topology.routes),
    // Costs more than all the rest together, and most who look do not ask for it.
    get broadcastRoutes() {
      return broadcastStatuses(topology.routes, topology.peers);
    },
    connections: connectionStatuses(shown),
    terminationCount: links.terminations,
    targets: maker.directTexts,
    trustedSubnets: subnetTexts(config.trustedSubnets),
    channels: gossip.channels(),
    refusals,
  };
}

export function connectionStatuses(shown: ShownMesh): ConnectionStatus[] {
  const { links, maker, passwordSet, world } = shown;
  const targets = maker.targets().map((target) => targetStatus(target, world));
  return [
    ...[...links.table].map((link) => neighbourStatus(link, passwordSet)),
    ...targets.filter((target) => target !== undefined),
  ];
}

/** What of a mesh is measured. */
export interface MeshSummary {
  readonly encryption: boolean;
  readonly trustedSubnets: number;
  /** 0 for any number. */
  readonly connectionLimit: number;
  readonly connections: readonly ConnectionStatus[];
  readonly terminationCount: number;
  readonly gossip: readonly ChannelTally[];
  readonly refusals: readonly Refusal[];
  readonly topology: TopologySummary;
}

/** The cluster, in numbers. */
export interface TopologySummary {
  /** Ourselves included. */
  readonly peers: number;
  /** To which frames find no way. */
  readonly unreached: number;
  /** Pairs of peers of which one at least tells of a connection. */
  readonly links: number;
  /** Those of which one alone says that it is established. */
  readonly oneWay: number;
}

export function meshSummary(shown: ShownMesh): MeshSummary {
  const { config, links, topology } = shown;
  return {
    encryption: shown.passwordSet,
    trustedSubnets: config.trustedSubnets.length,
    connectionLimit: config.connectionLimit,
    connections: connectionStatuses(shown),
    terminationCount: links.terminations,
    gossip: links.tally.list(),
    refusals: shown.refusals,
    topology: topologySummary(topology),
  };
}

/** What of a topology is counted. */
export interface CountedTopology {
  readonly peers: {
    readonly size: number;
    records(): readonly Pick<PeerRecord, "name" | "links">[];
    get(name: PeerName): Pick<PeerRecord, "links"> | undefined;
  };
  readonly routes: { readonly established: { readonly unicast: { readonly size: number } } };
}

export function topologySummary({ peers, routes }: CountedTopology): TopologySummary {
  let [links, oneWay] = [0, 0];
  for (const { name, links: claims } of peers.records()) {
    for (const [remote, { established }] of claims) {
      const back = peers.get(remote)?.links.get(name);
      // Each pair once: by the end with the lower name, or by the only one that tells of it.
      if (back !== undefined && remote < name) continue;
      links++;
      if (established !== (back?.established === true)) oneWay++;
    }
  }
  return {
    peers: peers.size,
    unreached: peers.size - routes.established.unicast.size,
    links,
    oneWay,
  };
}

export function peerStatuses(peers: Peers): PeerStatus[] {
  return peers.records().map((record) => ({
    name: formatPeerName(record.name),
    nickname: record.nickname,
    uid: record.uid,
    shortId: record.shortId,
    version: record.version,
    connections: [...record.links].map(([remote, link]) => ({
      name: formatPeerName(remote),
      nickname: peers.get(remote)?.nickname ?? "",
      ...link,
    })),
  }));
}

export function unicastStatuses({ established }: Routes): MeshStatus["unicastRoutes"] {
  return [...established.unicast].map(([dest, via]) => ({
    dest: formatPeerName(dest),
    via: formatPeerName(via),
  }));
}

/** Of every known peer. This takes a walk over the whole graph for each. */
export function broadcastStatuses(
  { established }: Routes,
  peers: Peers,
): MeshStatus["broadcastRoutes"] {
  return peers.records().map(({ name }) => ({
    source: formatPeerName(name),
    via: established.broadcast(name).map(formatPeerName),
  }));
}

/** The part of a neighbour that status shows. */
export type ShownNeighbour = Pick<Neighbour, "name" | "established" | "overlay" | "lossMeter"> & {
  readonly clock: Pick<Neighbour["clock"], "offsetMs">;
  readonly connection: Pick<
    Neighbour["connection"],
    "remoteAddress" | "outbound" | "remote" | "encrypted" | "extensions" | "roundTripMs"
  >;
};

/** `encrypted   fastdp <name>(<nickname>)`: the first word only in a cluster with a password. */
export function neighbourStatus(neighbour: ShownNeighbour, passwordSet: boolean): ConnectionStatus {
  const { connection, name, established } = neighbour;
  const overlay = neighbour.overlay?.describe();
  const chosen = overlay === undefined || overlay.name === "none" ? undefined : overlay;
  const sealing = connection.encrypted ? "encrypted" : "unencrypted";
  const prefix = passwordSet ? `${sealing.padEnd(11)} ` : "";
  const { roundTripMs } = connection;
  const loss = neighbour.lossMeter?.loss;
  const { offsetMs: clockOffsetMs } = neighbour.clock;
  const extensions = [...connection.extensions].map(([each, version]) => `${each}/${version}`);
  const peer = { name: formatPeerName(name), nickname: connection.remote.nickname };
  return {
    address: formatEndpoint(connection.remoteAddress),
    outbound: connection.outbound,
    state: established ? "established" : "pending",
    info: `${prefix}${(chosen?.name ?? "none").padEnd(6)} ${peerLabel(name, peer.nickname)}`,
    peer,
    ...(chosen === undefined ? {} : { attributes: { name: chosen.name, ...chosen.attributes } }),
    ...(overlay === undefined
      ? {}
      : { reason: overlay.reason, degraded: overlay.degraded, sinceMs: overlay.sinceMs }),
    ...(extensions.length === 0 ? {} : { extensions }),
    ...(roundTripMs === undefined ? {} : { roundTripMs }),
    ...(clockOffsetMs === undefined ? {} : { clockOffsetMs }),
    ...(overlay?.losses === undefined ? {} : { losses: overlay.losses }),
    ...(overlay?.traffic === undefined ? {} : { traffic: overlay.traffic }),
    ...(overlay?.carried === undefined ? {} : { carried: overlay.carried }),
    ...(loss === undefined ? {} : { loss }),
  };
}

/** A target that is not connected; `undefined` for states that show nothing. */
export function targetStatus(
  target: TargetStatus,
  world: Pick<World, "now" | "monotonicMs">,
): ConnectionStatus | undefined {
  const { address, state, error, dueAtMs } = target;
  if (state !== "attempting" && state !== "waiting") return undefined;
  const retryAtMs =
    dueAtMs === undefined ? undefined : Math.round(world.now() + dueAtMs - world.monotonicMs());
  const when = retryAtMs === undefined ? "never" : formatTime(retryAtMs);
  const shown = { address, outbound: true, ...(retryAtMs === undefined ? {} : { retryAtMs }) };
  if (error === undefined) {
    return state === "attempting"
      ? { ...shown, state: "connecting", info: "" }
      : { ...shown, state: "waiting", info: `until: ${when}` };
  }
  const { code, message: text, remedy } = error;
  const failure = { code, text, ...(remedy === undefined ? {} : { remedy }) };
  return state === "attempting"
    ? { ...shown, state: "retrying", info: text, error: failure }
    : { ...shown, state: "failed", info: `${text}, retry: ${when}`, error: failure };
}

/** `2022-11-23 10:40:02.123 +0000 UTC` */
function formatTime(ms: number): string {
  return new Date(ms).toISOString().replace("T", " ").replace("Z", " +0000 UTC");
}

/** As given. */
export function subnetTexts(subnets: readonly Cidr[]): string[] {
  return subnets.map(formatCidr);
}

/** `name(nickname)` for logs. */
export function peerLabel(name: PeerName, nickname: string): string {
  return `${formatPeerName(name)}(${nickname})`;
}
