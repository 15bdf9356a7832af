import { broadcastHops, type PeerGraph, unicastRoutes } from "../base/peer-graph.ts";
import type { PeerName } from "../base/peer-name.ts";
import type { RoutesSnapshot } from "../base/routes-snapshot.ts";
import type { Cancel, World } from "../base/world.ts";
import type { Peers } from "./peers.ts";
import { claimedGraph, equalSnapshots, establishedGraph, takeSnapshot } from "./topology-graph.ts";

/** Changes within this time cost one calculation. */
export const recalculationDelayMs = 100;

/** The tables of one graph as seen by ourselves (mesh-protocol §9). */
export class RouteTables {
  readonly #graph: PeerGraph;
  readonly #self: PeerName;
  #unicast: Map<PeerName, PeerName>;
  /** Filled on demand: most origins never broadcast between two calculations. */
  readonly #broadcast = new Map<PeerName, readonly PeerName[]>();

  constructor(graph: PeerGraph, self: PeerName) {
    this.#graph = graph;
    this.#self = self;
    this.#unicast = unicastRoutes(graph, self);
  }

  /** Destination → next hop; ourselves → `noPeer`. */
  get unicast(): ReadonlyMap<PeerName, PeerName> {
    return this.#unicast;
  }

  /** Our neighbours to which we pass on what `origin` broadcast; all of them for ourselves. */
  broadcast(origin: PeerName): readonly PeerName[] {
    const known = this.#broadcast.get(origin);
    if (known !== undefined) return known;
    const hops = broadcastHops(this.#graph, origin, this.#self);
    this.#broadcast.set(origin, hops);
    return hops;
  }

  recalculate(): void {
    this.#unicast = unicastRoutes(this.#graph, this.#self);
    this.#broadcast.clear();
  }
}

/**
 * Routes over the present topology, calculated at most once in 100 ms unless somebody is about to
 * choose by them, who never sees stale ones.
 */
export class Routes {
  readonly #world: Pick<World, "after">;
  readonly #peers: Peers;
  readonly #onChange: (snapshot: RoutesSnapshot) => void;
  readonly #claimed: RouteTables;
  readonly #established: RouteTables;
  #pending: Cancel | undefined;
  #snapshot: RoutesSnapshot | undefined;

  constructor(
    world: Pick<World, "after">,
    peers: Peers,
    onChange: (snapshot: RoutesSnapshot) => void,
  ) {
    this.#world = world;
    this.#peers = peers;
    this.#onChange = onChange;
    this.#claimed = new RouteTables(claimedGraph(peers), peers.own.name);
    this.#established = new RouteTables(establishedGraph(peers), peers.own.name);
  }

  /** Tables for gossip, up to date. */
  get claimed(): RouteTables {
    this.refresh();
    return this.#claimed;
  }

  /** Tables for packets, up to date. */
  get established(): RouteTables {
    this.refresh();
    return this.#established;
  }

  /** The topology changed: calculate soon. */
  request(): void {
    this.#pending ??= this.#world.after(recalculationDelayMs, () => {
      this.#pending = undefined;
      this.#calculate();
    });
  }

  /** Calculates now if that is due. */
  refresh(): void {
    if (this.#pending === undefined) return;
    this.stop();
    this.#calculate();
  }

  stop(): void {
    this.#pending?.();
    this.#pending = undefined;
  }

  #calculate(): void {
    this.#claimed.recalculate();
    this.#established.recalculate();
    const snapshot = takeSnapshot(this.#peers);
    if (this.#snapshot !== undefined && equalSnapshots(snapshot, this.#snapshot)) return;
    this.#snapshot = snapshot;
    this.#onChange(snapshot);
  }
}
