import { GrowingWindow } from "../base/growing-window.ts";
import { broadcastHops, type PeerGraph, unicastRoutes } from "../base/peer-graph.ts";
import type { PeerName } from "../base/peer-name.ts";
import type { RoutesSnapshot } from "../base/routes-snapshot.ts";
import type { World } from "../base/world.ts";
import type { Peers } from "./peers.ts";
import { claimedGraph, equalSnapshots, establishedGraph, takeSnapshot } from "./topology-graph.ts";

/**
 * Changes within this time are one to the data plane. While change follows upon change, as when a
 * cluster comes together, each wait is twice as long as the one before.
 */
export const snapshotDelayMs = 100;
export const snapshotDelayMaxMs = 400;

/** The tables of one graph as seen by ourselves (mesh-protocol §9). */
export class RouteTables {
  readonly #graph: PeerGraph;
  readonly #self: PeerName;
  /** Both are filled on demand: most changes go by before anybody chooses by them. */
  #unicast: ReadonlyMap<PeerName, PeerName> | undefined;
  readonly #broadcast = new Map<PeerName, readonly PeerName[]>();

  constructor(graph: PeerGraph, self: PeerName) {
    this.#graph = graph;
    this.#self = self;
  }

  /** Destination → next hop; ourselves → `noPeer`. */
  get unicast(): ReadonlyMap<PeerName, PeerName> {
    this.#unicast ??= unicastRoutes(this.#graph, this.#self);
    return this.#unicast;
  }

  /** Our neighbours to which we pass on what `origin` broadcast; all of them for ourselves. */
  broadcast(origin: PeerName): readonly PeerName[] {
    const known = this.#broadcast.get(origin);
    if (known !== undefined) return known;
    const hops = broadcastHops(this.#graph, origin, this.#self);
    // Of whoever has no links nothing is kept: messages may name as many of those as they like.
    if (this.#hasLinks(origin)) this.#broadcast.set(origin, hops);
    return hops;
  }

  #hasLinks(peer: PeerName): boolean {
    for (const _ of this.#graph.neighbours(peer)) return true;
    return false;
  }

  /** The graph is another one now. */
  outdate(): void {
    this.#unicast = undefined;
    this.#broadcast.clear();
  }
}

/**
 * Routes over the present topology. Who chooses by them never sees stale ones; the data plane is
 * told of changes at most once in 100 ms.
 */
export class Routes {
  readonly #peers: Peers;
  readonly #onChange: (snapshot: RoutesSnapshot) => void;
  /** Tables for gossip, always up to date. */
  readonly claimed: RouteTables;
  /** Tables for packets, always up to date. */
  readonly established: RouteTables;
  readonly #window: GrowingWindow;
  #changed = false;
  #snapshot: RoutesSnapshot | undefined;

  constructor(
    world: Pick<World, "after">,
    peers: Peers,
    onChange: (snapshot: RoutesSnapshot) => void,
  ) {
    const bounds = { firstMs: snapshotDelayMs, longestMs: snapshotDelayMaxMs };
    this.#window = new GrowingWindow(world, bounds, () => this.#tellChanges());
    this.#peers = peers;
    this.#onChange = onChange;
    this.claimed = new RouteTables(claimedGraph(peers), peers.own.name);
    this.established = new RouteTables(establishedGraph(peers), peers.own.name);
  }

  /** The topology changed: tell the data plane soon. */
  request(): void {
    this.claimed.outdate();
    this.established.outdate();
    this.#changed = true;
    this.#window.open();
  }

  stop(): void {
    this.#window.stop();
    this.#changed = false;
  }

  #tellChanges(): boolean {
    const hasChanged = this.#changed;
    this.#changed = false;
    if (hasChanged) this.#tell();
    return hasChanged;
  }

  #tell(): void {
    const snapshot = takeSnapshot(this.#peers);
    if (this.#snapshot !== undefined && equalSnapshots(snapshot, this.#snapshot)) return;
    this.#snapshot = snapshot;
    this.#onChange(snapshot);
  }
}
