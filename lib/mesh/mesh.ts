import { everyBeat } from "../base/beat.ts";
import type { Endpoint } from "../base/endpoint.ts";
import { WeaveError } from "../base/errors.ts";
import type { Channel, GossipData, Gossiper } from "../base/gossip.ts";
import type { PeerName } from "../base/peer-name.ts";
import { randomUint64 } from "../base/random.ts";
import type { Cancel, World } from "../base/world.ts";
import type { DeliveredMessage } from "./connection.ts";
import { ConnectionMaker } from "./connection-maker.ts";
import { gaveWay } from "./connection-table.ts";
import { connectionTerms, hasPassword } from "./connection-terms.ts";
import { GossipRouter } from "./gossip-router.ts";
import { Links } from "./links.ts";
import type { MeshConfig, MeshDependencies } from "./mesh-config.ts";
import {
  type ConnectionStatus,
  connectionStatuses,
  type MeshStatus,
  type MeshSummary,
  meshStatus,
  meshSummary,
  peerLabel,
  type ShownMesh,
} from "./mesh-status.ts";
import type { Neighbour } from "./neighbour.ts";
import { tellPassage } from "./passage.ts";
import { newRecord, type PeerRecord } from "./peer-record.ts";
import { Refusals } from "./refusals.ts";
import { Topology, type TopologyEvents } from "./topology.ts";
import { topologyChannel } from "./topology-channel.ts";
import { type ByteStream, remoteSilentCode, silenceMaxMs } from "./transport.ts";

/** Every channel tells its whole state to some neighbours this often. */
export const gossipPeriodMs = 30_000;

/**
 * This peer's part in the mesh (mesh-protocol): it finds other peers, keeps a connection to each,
 * holds the topology in step with theirs, and moves gossip for the owners of channels.
 *
 *   ConnectionMaker ──dials──▶ Links ──messages──▶ GossipRouter ──payloads──▶ owners of channels
 *        ▲                       │ added, removed        │ topology
 *        └── new addresses ── OwnRecord, Peers ◀─────────┘
 *                                │ changed
 *                              Routes ──▶ GossipRouter, data plane
 */
export class Mesh {
  /** Tells this run of the process from earlier ones under the same name. */
  readonly uid: bigint;
  readonly #world: World;
  readonly #config: MeshConfig;
  readonly #dependencies: MeshDependencies;
  readonly #topology: Topology;
  readonly #gossip: GossipRouter;
  readonly #links: Links;
  readonly #maker: ConnectionMaker;
  readonly #refusals: Refusals;
  #stopPeriodic: Cancel | undefined;
  #stopped = false;

  constructor(world: World, config: MeshConfig, dependencies: MeshDependencies) {
    this.#world = world;
    this.#config = config;
    this.#dependencies = dependencies;
    // Zero stands for "unknown".
    this.uid = randomUint64(world.random) || 1n;
    this.#refusals = new Refusals(world);
    this.#topology = this.#newTopology();
    this.#gossip = this.#newGossipRouter();
    this.#gossip.join(topologyChannel, this.#topology.channel);
    this.#links = this.#newLinks();
    this.#maker = this.#newConnectionMaker();
  }

  /** Makes `owner` the owner of a channel. Call it before {@link start}. */
  join(channel: string, owner: Gossiper): Channel {
    return this.#gossip.join(channel, owner);
  }

  /**
   * Begins to connect. Targets that cannot be read are logged and left out; `neighbours`, those of a
   * process before this one, are tried once, for else it takes until somebody tells of them.
   */
  start(targets: readonly string[], neighbours: readonly Endpoint[] = []): void {
    this.#stopPeriodic = everyBeat(this.#world, gossipPeriodMs, () => this.#gossip.gossipState());
    this.#topology.routes.request();
    for (const error of this.connect(targets, { replace: false })) {
      this.#world.log.warn(`${error.message} (${error.remedy})`);
    }
    this.#maker.dialOnce(neighbours);
  }

  /** Takes a connection from the listener. */
  accepted(stream: ByteStream): void {
    if (this.#stopped) stream.reset();
    else this.#links.accepted(stream);
  }

  /** Adds peers to connect to, or exchanges all. Returns what was refused; the rest is applied. */
  connect(peers: readonly string[], options: { readonly replace: boolean }): WeaveError[] {
    return this.#maker.connect(peers, options);
  }

  /** Peers are no longer tried; connections to them stay. */
  forget(peers: readonly string[]): void {
    this.#maker.forget(peers);
  }

  /** Addresses as typed. */
  get targets(): string[] {
    return this.#maker.directTexts;
  }

  isKnown(peer: PeerName): boolean {
    return this.#topology.peers.has(peer);
  }

  /** `undefined` for an unknown peer. */
  nickname(peer: PeerName): string | undefined {
    return this.#topology.peers.get(peer)?.nickname;
  }

  /** Whether gossip finds a way to `peer`. */
  canReach(peer: PeerName): boolean {
    return this.#topology.routes.claimed.unicast.has(peer);
  }

  /** A neighbour's message of just now was made at this time of its clock, in ms since 1970. */
  clockShown(peer: PeerName, unixMs: number): void {
    this.#links.table.get(peer)?.clock.shows(unixMs);
  }

  /** Every known peer, ourselves included, in ascending order. */
  knownPeers(): PeerName[] {
    return this.#topology.peers.records().map(({ name }) => name);
  }

  /** How many peers are known, ourselves included, or have called us and not said their name. */
  inSight(): number {
    return this.#topology.peers.size + this.#links.callers;
  }

  status(): MeshStatus {
    return meshStatus(this.#shown());
  }

  /** What can be measured again and again: a fraction of what {@link status} costs. */
  summary(): MeshSummary {
    return meshSummary(this.#shown());
  }

  /** Connections, and attempts to make some: what {@link summary} has of them alone. */
  connections(): ConnectionStatus[] {
    return connectionStatuses(this.#shown());
  }

  #shown(): ShownMesh {
    return {
      ...{ world: this.#world, config: this.#config, passwordSet: hasPassword(this.#config) },
      ...{ topology: this.#topology, links: this.#links, maker: this.#maker },
      ...{ gossip: this.#gossip, refusals: this.#refusals.list() },
    };
  }

  /**
   * Another process takes the place of this one: says and hears nothing any more, but keeps its
   * connections until the peers give them up for those of the other, so that they miss nobody.
   *
   * @param deserted called when they all have
   * @returns where the neighbours listen
   */
  suspend(deserted: () => void): Endpoint[] {
    const addresses = this.#links.addresses;
    this.#end(() => this.#links.suspend(deserted));
    return addresses;
  }

  /** Sends what was said, closes every connection and stops every timer. */
  stop(): void {
    const reason = new WeaveError("STOPPED", "this peer is shutting down");
    this.#end(() => this.#links.stop(reason));
  }

  /** Links go while gossip still may: it has something to say about that, and timers to set. */
  #end(leaveLinks: () => void): void {
    this.#stopped = true;
    this.#stopPeriodic?.();
    this.#maker.stop();
    leaveLinks();
    this.#gossip.stop();
    this.#topology.stop();
  }

  #newTopology(): Topology {
    const { name, nickname } = this.#config;
    // The short id follows when the cluster's ids are known.
    const own = newRecord({ name, nickname, uid: this.uid, shortId: undefined });
    const events: TopologyEvents = {
      tell: (records) => this.#gossip.gossip(topologyChannel, records),
      tellNeighbours: (records) => this.#tellNeighbours(records),
      publish: (records) => this.#gossip.broadcast(topologyChannel, records),
      routes: (snapshot) => this.#dependencies.onRoutes(snapshot),
      improved: () => this.#maker.checkSoon(),
      removed: (records) => this.#removed(records),
      refused: (from, error) => this.#refused(topologyChannel, from, error),
    };
    return new Topology(this.#world, own, events, this.#config.formerShortId);
  }

  #newGossipRouter(): GossipRouter {
    return new GossipRouter(this.#world, {
      self: this.#config.name,
      routes: this.#topology.routes,
      neighbour: (name) => this.#links.table.get(name),
      beforeBroadcast: () => this.#topology.publishOwn(),
      refused: (channel, origin, error) => this.#refused(channel, origin, error),
    });
  }

  #newLinks(): Links {
    const { transport, overlay } = this.#dependencies;
    const ports = {
      transport,
      overlay,
      peers: this.#topology.peers,
      passwordSet: hasPassword(this.#config),
      connectionLimit: this.#config.connectionLimit,
      defaultPort: this.#config.port,
      config: () =>
        connectionTerms(this.#config, this.#dependencies, {
          uid: this.uid,
          shortId: this.#topology.own.shortId,
        }),
    };
    return new Links(this.#world, ports, {
      added: (neighbour, restarted) => this.#linkAdded(neighbour, restarted),
      established: (neighbour) => this.#linkEstablished(neighbour),
      removed: (neighbour, error) => this.#linkRemoved(neighbour, error),
      refused: () => this.#topology.linkRefused(),
      message: (neighbour, message) => this.#received(neighbour, message),
      sent: (to, message) => tellPassage(this.#dependencies, "out", to, message),
    });
  }

  #newConnectionMaker(): ConnectionMaker {
    const { transport, saveTargets } = this.#dependencies;
    const { peers } = this.#topology;
    const ports = {
      dial: (...args: Parameters<Links["dial"]>) => this.#links.dial(...args),
      resolve: transport.resolve.bind(transport),
      isCalledFrom: (host: string) => this.#links.isCalledFrom(host),
      room: this.#links.room,
      get own() {
        return peers.own;
      },
      records: () => peers.records(),
      save: saveTargets.bind(this.#dependencies),
    };
    const { discovery, port } = this.#config;
    return new ConnectionMaker(this.#world, ports, { discovery, defaultPort: port });
  }

  #linkAdded(neighbour: Neighbour, restarted: boolean): void {
    // Whoever we reached already has our state, unless it lost it by restarting.
    const reached = this.#topology.routes.established.unicast.has(neighbour.name);
    this.#topology.linkAdded(neighbour.name, neighbour.link);
    if (restarted || !reached) this.#gossip.sendState(neighbour);
    this.#maker.checkSoon();
    this.#tell("connected", neighbour);
  }

  #linkEstablished(neighbour: Neighbour): void {
    this.#topology.linkEstablished(neighbour.name);
    // Frames flow once the other end has read that we call the link established: it need not wait
    // for the announcement to everybody.
    const own = this.#topology.ownRecord();
    if (own !== undefined) this.#gossip.tell(neighbour, topologyChannel, own);
    this.#tell("established", neighbour);
  }

  #tellNeighbours(records: GossipData): void {
    for (const neighbour of this.#links.table) {
      this.#gossip.tell(neighbour, topologyChannel, records);
    }
  }

  #linkRemoved(neighbour: Neighbour, error: WeaveError): void {
    const silentMs = error.code === remoteSilentCode ? silenceMaxMs : 0;
    this.#topology.linkRemoved(neighbour.name, silentMs);
    // Who takes its place is about to be added: to dial would only make a rival of it.
    if (gaveWay(error)) this.#maker.checkSoon();
    else this.#maker.check();
    const { name: peer, connection } = neighbour;
    const { nickname } = connection.remote;
    this.#dependencies.onEvent?.({ kind: "disconnected", peer, nickname, error });
  }

  #received(neighbour: Neighbour, message: DeliveredMessage): void {
    if (this.#stopped) return;
    tellPassage(this.#dependencies, "in", neighbour.name, message);
    if (message.kind === "digest") neighbour.clock.shows(message.unixMs);
    if (message.kind === "control") neighbour.overlay?.control(message.tag, message.body);
    else if (message.kind === "linkCounts") neighbour.lossMeter?.received(message.body);
    else this.#gossip.receive(message, neighbour.name);
  }

  #removed(records: readonly PeerRecord[]): void {
    for (const { name: peer, nickname } of records) {
      this.#world.log.info(`Removed unreachable peer ${peerLabel(peer, nickname)}`);
      this.#dependencies.onPeerGone(peer, nickname);
      this.#dependencies.onEvent?.({ kind: "removed", peer, nickname });
    }
  }

  #refused(channel: string, origin: PeerName, error: WeaveError): void {
    this.#refusals.note(channel, origin, error);
    this.#dependencies.onEvent?.({ kind: "refused", channel, origin, error });
  }

  #tell(kind: "connected" | "established", neighbour: Neighbour): void {
    const { nickname } = neighbour.connection.remote;
    this.#dependencies.onEvent?.({ kind, peer: neighbour.name, nickname });
  }
}
