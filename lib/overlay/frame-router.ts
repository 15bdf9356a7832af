import { broadcastHops, type PeerGraph, unicastRoutes } from "../base/peer-graph.ts";
import { noPeer, type PeerName } from "../base/peer-name.ts";
import { type RoutesSnapshot, snapshotGraph } from "../base/routes-snapshot.ts";
import {
  ethernetDestinationAt,
  ethernetSourceAt,
  readMac,
  spanningTreeMac,
} from "../wire/ethernet.ts";
import type { MacTable } from "./mac-table.ts";

/**
 * Where a frame goes (sleeve §12), the same for every overlay.
 *
 *   captured ──▶ learn ──▶ destination MAC: local ──────▶ drop, the bridge delivered it
 *                                           at peer D ──▶ next hop to D
 *                                           unknown ────▶ broadcast hops of ourselves
 *
 *   received ──▶ for us: learn, inject, and unless the destination MAC is local also
 *     S, D  │            broadcast hops of S
 *           └▶ for D:    next hop to D, nothing learned
 *
 * In a flooded frame the destination peer is the next hop, never a broadcast marker. The answer is
 * one {@link Verdict}, reused from call to call, so that a frame costs no allocation.
 */
export type RouteDrop =
  | "spanningTree"
  | "macConflict"
  | "destinationLocal"
  | "noRoute"
  | "wouldReturn"
  /** Of a frame that a kernel datapath should have marked. */
  | "unmarked"
  /** Nobody would know it in a kernel datapath. */
  | "noShortId";

export interface Verdict {
  /** Why the frame ends here; `undefined` when it does not. */
  readonly drop: RouteDrop | undefined;
  /** Whether it goes into the local bridge. */
  readonly inject: boolean;
  /** What the kernel datapath is to know of a frame that goes into it; 0 without one. */
  readonly mark: number;
  readonly source: PeerName;
  /** For one hop the final destination; meaningless for a broadcast, where it is each hop. */
  readonly destination: PeerName;
  readonly broadcast: boolean;
  /** The neighbours to hand the frame to. Owned by the router and never changed. */
  readonly hops: readonly PeerName[];
}

/** Whose frame it is, whom it is for, and which neighbour handed it to us. */
export interface ReceivedRoute {
  readonly source: PeerName;
  readonly destination: PeerName;
  /** `noPeer` for a frame that we made on the way, such as an ICMP error. */
  readonly via: PeerName;
}

/** Broadcast trees kept, one per source; beyond it they are computed afresh. */
export const broadcastTreesMax = 4096;

const noHops: readonly PeerName[] = [];
const emptyGraph: PeerGraph = { neighbours: () => noHops };

/** Who says where frames go: {@link FrameRouter}, or a kernel datapath through its marks. */
export interface FrameSwitch {
  setTopology(snapshot: RoutesSnapshot): void;
  /** Whether `peer` is in the topology; frames from or for others are not ours to carry. */
  knows(peer: PeerName): boolean;
  /** A frame of our own bridge, at least an Ethernet header long, with its packet mark. */
  captured(frame: Uint8Array, at: number, nowMs: number, mark: number): Verdict;
  /** A frame that came over an overlay. Its source and destination are known to the topology. */
  received(frame: Uint8Array, at: number, route: ReceivedRoute, nowMs: number): Verdict;
}

export class FrameRouter implements FrameSwitch {
  readonly #local: PeerName;
  readonly #macs: MacTable;
  #graph: PeerGraph = emptyGraph;
  #known: ReadonlySet<PeerName>;
  /** Destination → the next hop alone in an array, ready to be handed out. */
  #unicast = new Map<PeerName, readonly PeerName[]>();
  readonly #broadcast = new Map<PeerName, readonly PeerName[]>();
  readonly #verdict: { -readonly [K in keyof Verdict]: Verdict[K] };

  constructor(local: PeerName, macs: MacTable) {
    this.#local = local;
    this.#macs = macs;
    this.#known = new Set([local]);
    this.#verdict = {
      drop: undefined,
      inject: false,
      mark: 0,
      source: local,
      destination: local,
      broadcast: false,
      hops: noHops,
    };
  }

  /** Replaces the topology. Routes are those every peer computes; MACs of vanished peers go. */
  setTopology(snapshot: RoutesSnapshot): void {
    const known = new Set([this.#local, ...snapshot.peers.map((peer) => peer.name)]);
    for (const peer of this.#known) if (!known.has(peer)) this.#macs.forgetPeer(peer);
    this.#known = known;
    this.#graph = snapshotGraph(snapshot);
    this.#broadcast.clear();
    this.#unicast = new Map();
    for (const [destination, hop] of unicastRoutes(this.#graph, this.#local)) {
      if (hop !== noPeer) this.#unicast.set(destination, [hop]);
    }
  }

  knows(peer: PeerName): boolean {
    return this.#known.has(peer);
  }

  captured(frame: Uint8Array, at: number, nowMs: number): Verdict {
    const verdict = this.#verdict;
    verdict.source = this.#local;
    if (!this.#macs.learnCaptured(readMac(frame, at + ethernetSourceAt), nowMs)) {
      return this.#drop("macConflict");
    }
    const mac = readMac(frame, at + ethernetDestinationAt);
    if (mac === spanningTreeMac) return this.#drop("spanningTree");
    const destination = this.#macs.lookup(mac);
    if (destination === this.#local) return this.#drop("destinationLocal");
    verdict.inject = false;
    return destination === undefined ? this.#flood() : this.#forward(destination);
  }

  received(frame: Uint8Array, at: number, route: ReceivedRoute, nowMs: number): Verdict {
    const verdict = this.#verdict;
    verdict.source = route.source;
    if (route.destination !== this.#local) {
      verdict.inject = false;
      this.#forward(route.destination);
      // Views that disagree for a moment must not bounce a frame between two peers for ever.
      return verdict.hops[0] === route.via ? this.#drop("wouldReturn") : verdict;
    }
    this.#macs.learnReceived(readMac(frame, at + ethernetSourceAt), route.source, nowMs);
    verdict.inject = true;
    const mac = readMac(frame, at + ethernetDestinationAt);
    return this.#macs.lookup(mac) === this.#local ? this.#aim(this.#local, noHops) : this.#flood();
  }

  #forward(destination: PeerName): Verdict {
    const hops = this.#unicast.get(destination);
    return hops === undefined ? this.#drop("noRoute") : this.#aim(destination, hops);
  }

  #flood(): Verdict {
    this.#aim(this.#local, this.broadcastHops(this.#verdict.source));
    this.#verdict.broadcast = true;
    return this.#verdict;
  }

  #aim(destination: PeerName, hops: readonly PeerName[]): Verdict {
    const verdict = this.#verdict;
    verdict.drop = undefined;
    verdict.destination = destination;
    verdict.broadcast = false;
    verdict.hops = hops;
    return verdict;
  }

  #drop(reason: RouteDrop): Verdict {
    const verdict = this.#verdict;
    verdict.drop = reason;
    verdict.inject = false;
    verdict.broadcast = false;
    verdict.hops = noHops;
    return verdict;
  }

  /** The neighbours to which a broadcast that `source` began goes on from here, ascending. */
  broadcastHops(source: PeerName): readonly PeerName[] {
    const cached = this.#broadcast.get(source);
    if (cached !== undefined) return cached;
    const hops = broadcastHops(this.#graph, source, this.#local);
    if (this.#broadcast.size < broadcastTreesMax) this.#broadcast.set(source, hops);
    return hops;
  }

  /** The neighbour towards `destination`; `undefined` when there is no route. */
  nextHop(destination: PeerName): PeerName | undefined {
    return this.#unicast.get(destination)?.[0];
  }
}
