import { noPeer, type PeerName } from "../base/peer-name.ts";
import { type RoutesSnapshot, snapshotGraph } from "../base/routes-snapshot.ts";
import { ethernetDestinationAt, isGroupMac, readMac } from "../wire/ethernet.ts";
import { BroadcastTrees } from "./broadcast-trees.ts";
import { handoverMark, isHandoverMark } from "./fastdp/ports.ts";
import { vniDestination, vniOriginator } from "./fastdp/vni.ts";
import {
  type FrameSwitch,
  noHops,
  type ReceivedRoute,
  ReusedVerdict,
  unicastHops,
  type Verdict,
} from "./frame-switch.ts";
import { ShortIdTable } from "./short-id-table.ts";

/**
 * Where sleeve's frames go on a host with a kernel datapath: to whom its marks say, and what came
 * over sleeve into the datapath, marked, which delivers, floods and relays it.
 *
 *   captured, mark S, D ──▶ next hop to D
 *   received from S for D ──▶ inject, mark S, D
 */
export class HandoverSwitch implements FrameSwitch {
  readonly #local: PeerName;
  #ids = new ShortIdTable();
  #known: ReadonlySet<PeerName>;
  /** Destination → the next hop alone in an array, ready to be handed out. */
  #unicast = new Map<PeerName, readonly PeerName[]>();
  #trees: BroadcastTrees;
  readonly #verdict = new ReusedVerdict();

  constructor(local: PeerName) {
    this.#local = local;
    this.#known = new Set([local]);
    this.#trees = new BroadcastTrees({ neighbours: () => noHops }, local);
  }

  setTopology(snapshot: RoutesSnapshot): void {
    this.#known = new Set([this.#local, ...snapshot.peers.map(({ name }) => name)]);
    this.#ids = new ShortIdTable(snapshot.peers);
    const graph = snapshotGraph(snapshot);
    this.#unicast = unicastHops(graph, this.#local);
    this.#trees = new BroadcastTrees(graph, this.#local);
  }

  knows(peer: PeerName): boolean {
    return this.#known.has(peer);
  }

  captured(frame: Uint8Array, at: number, _nowMs: number, mark: number): Verdict {
    if (!isHandoverMark(mark)) return this.#verdict.end("unmarked");
    const source = this.#ids.ownerOf(vniOriginator(mark));
    const destination = this.#ids.ownerOf(vniDestination(mark));
    if (source === undefined || destination === undefined) return this.#verdict.end("noShortId");
    const hops = this.#unicast.get(destination);
    if (hops === undefined) return this.#verdict.end("noRoute");
    const verdict = this.#verdict.aim(destination, hops);
    verdict.inject = false;
    verdict.source = source;
    // Of what is flooded nobody is told that it is too big.
    const isGroup = isGroupMac(readMac(frame, at + ethernetDestinationAt));
    verdict.broadcast = isGroup && hops[0] === destination;
    return verdict;
  }

  received(frame: Uint8Array, at: number, route: ReceivedRoute): Verdict {
    const { source, destination, via } = route;
    // Views that disagree for a moment must not bounce a frame between two peers for ever. The
    // datapath does not know where it came from, and would flood it there again.
    const isGroup = isGroupMac(readMac(frame, at + ethernetDestinationAt));
    const isFlooded = isGroup && destination === this.#local;
    const hops = isFlooded ? this.#trees.hops(source) : this.#unicast.get(destination);
    if (via !== noPeer && hops?.includes(via)) return this.#verdict.end("wouldReturn");
    const from = this.#ids.idOf(source);
    const to = this.#ids.idOf(destination);
    if (from === undefined || to === undefined) return this.#verdict.end("noShortId");
    const verdict = this.#verdict.aim(destination, noHops);
    verdict.inject = true;
    verdict.mark = handoverMark(from, to);
    verdict.source = source;
    return verdict;
  }
}
