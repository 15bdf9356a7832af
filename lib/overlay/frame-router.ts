import { noPeer, type PeerName } from "../base/peer-name.ts";
import { type RoutesSnapshot, snapshotGraph } from "../base/routes-snapshot.ts";
import {
  ethernetDestinationAt,
  ethernetSourceAt,
  readMac,
  spanningTreeMac,
} from "../wire/ethernet.ts";
import { BroadcastTrees } from "./broadcast-trees.ts";
import {
  type FrameSwitch,
  noHops,
  type ReceivedRoute,
  ReusedVerdict,
  unicastHops,
  type Verdict,
} from "./frame-switch.ts";
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
 * In a flooded frame the destination peer is the next hop, never a broadcast marker. Nothing goes back
 * to the neighbour it came from.
 */
export class FrameRouter implements FrameSwitch {
  readonly #local: PeerName;
  readonly #macs: MacTable;
  #known: ReadonlySet<PeerName>;
  /** Destination → the next hop alone in an array, ready to be handed out. */
  #unicast = new Map<PeerName, readonly PeerName[]>();
  #trees: BroadcastTrees;
  readonly #verdict = new ReusedVerdict();

  constructor(local: PeerName, macs: MacTable) {
    this.#local = local;
    this.#macs = macs;
    this.#known = new Set([local]);
    this.#trees = new BroadcastTrees({ neighbours: () => noHops }, local);
  }

  /** Replaces the topology. Routes are those every peer computes; MACs of vanished peers go. */
  setTopology(snapshot: RoutesSnapshot): void {
    const known = new Set([this.#local, ...snapshot.peers.map((peer) => peer.name)]);
    for (const peer of this.#known) if (!known.has(peer)) this.#macs.forgetPeer(peer);
    this.#known = known;
    const graph = snapshotGraph(snapshot);
    this.#trees = new BroadcastTrees(graph, this.#local);
    this.#unicast = unicastHops(graph, this.#local);
  }

  knows(peer: PeerName): boolean {
    return this.#known.has(peer);
  }

  captured(frame: Uint8Array, at: number, nowMs: number): Verdict {
    const verdict = this.#verdict;
    verdict.source = this.#local;
    if (!this.#macs.learnCaptured(readMac(frame, at + ethernetSourceAt), nowMs)) {
      return this.#verdict.end("macConflict");
    }
    const mac = readMac(frame, at + ethernetDestinationAt);
    if (mac === spanningTreeMac) return this.#verdict.end("spanningTree");
    const destination = this.#macs.lookup(mac);
    if (destination === this.#local) return this.#verdict.end("destinationLocal");
    verdict.inject = false;
    return destination === undefined ? this.#flood(noPeer) : this.#forward(destination);
  }

  received(frame: Uint8Array, at: number, route: ReceivedRoute, nowMs: number): Verdict {
    const verdict = this.#verdict;
    verdict.source = route.source;
    if (route.destination !== this.#local) {
      verdict.inject = false;
      this.#forward(route.destination);
      // Views that disagree for a moment must not bounce a frame between two peers for ever.
      return verdict.hops[0] === route.via ? this.#verdict.end("wouldReturn") : verdict;
    }
    this.#macs.learnReceived(readMac(frame, at + ethernetSourceAt), route.source, nowMs);
    verdict.inject = true;
    const mac = readMac(frame, at + ethernetDestinationAt);
    return this.#macs.lookup(mac) === this.#local
      ? this.#verdict.aim(this.#local, noHops)
      : this.#flood(route.via);
  }

  #forward(destination: PeerName): Verdict {
    const hops = this.#unicast.get(destination);
    return hops === undefined ? this.#verdict.end("noRoute") : this.#verdict.aim(destination, hops);
  }

  /** Views that disagree for a moment must not bounce a flood either. */
  #flood(via: PeerName): Verdict {
    const hops = this.broadcastHops(this.#verdict.source);
    const onward = hops.includes(via) ? hops.filter((hop) => hop !== via) : hops;
    const verdict = this.#verdict.aim(this.#local, onward);
    verdict.broadcast = true;
    return verdict;
  }

  /** The neighbours to which a broadcast that `source` began goes on from here, ascending. */
  broadcastHops(source: PeerName): readonly PeerName[] {
    return this.#trees.hops(source);
  }

  /** The neighbour towards `destination`; `undefined` when there is no route. */
  nextHop(destination: PeerName): PeerName | undefined {
    return this.#unicast.get(destination)?.[0];
  }
}
