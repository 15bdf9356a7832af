import { unicastRoutes } from "../base/peer-graph.ts";
import { noPeer, type PeerName } from "../base/peer-name.ts";
import { type RoutesSnapshot, snapshotGraph } from "../base/routes-snapshot.ts";
import { ethernetDestinationAt, isGroupMac, readMac } from "../wire/ethernet.ts";
import { handoverMark, isHandoverMark } from "./fastdp/ports.ts";
import { vniDestination, vniOriginator } from "./fastdp/vni.ts";
import type { FrameSwitch, ReceivedRoute, RouteDrop, Verdict } from "./frame-router.ts";
import { ShortIdTable } from "./short-id-table.ts";

/**
 * Where sleeve's frames go on a host with a kernel datapath: to whom its marks say, and what came
 * over sleeve into the datapath, marked, which delivers, floods and relays it.
 *
 *   captured, mark S, D ──▶ next hop to D
 *   received from S for D ──▶ inject, mark S, D
 *
 * The answer is one {@link Verdict}, reused from call to call.
 */
const noHops: readonly PeerName[] = [];

export class HandoverSwitch implements FrameSwitch {
  readonly #local: PeerName;
  #ids = new ShortIdTable();
  #known: ReadonlySet<PeerName>;
  /** Destination → the next hop alone in an array, ready to be handed out. */
  #unicast = new Map<PeerName, readonly PeerName[]>();
  readonly #verdict: { -readonly [K in keyof Verdict]: Verdict[K] };

  constructor(local: PeerName) {
    this.#local = local;
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

  setTopology(snapshot: RoutesSnapshot): void {
    this.#known = new Set([this.#local, ...snapshot.peers.map(({ name }) => name)]);
    this.#ids = new ShortIdTable(snapshot.peers);
    this.#unicast = new Map();
    for (const [destination, hop] of unicastRoutes(snapshotGraph(snapshot), this.#local)) {
      if (hop !== noPeer) this.#unicast.set(destination, [hop]);
    }
  }

  knows(peer: PeerName): boolean {
    return this.#known.has(peer);
  }

  captured(frame: Uint8Array, at: number, _nowMs: number, mark: number): Verdict {
    if (!isHandoverMark(mark)) return this.#drop("unmarked");
    const source = this.#ids.ownerOf(vniOriginator(mark));
    const destination = this.#ids.ownerOf(vniDestination(mark));
    if (source === undefined || destination === undefined) return this.#drop("noShortId");
    const hops = this.#unicast.get(destination);
    if (hops === undefined) return this.#drop("noRoute");
    const verdict = this.#verdict;
    verdict.drop = undefined;
    verdict.inject = false;
    verdict.source = source;
    verdict.destination = destination;
    // Of what is flooded nobody is told that it is too big.
    const isGroup = isGroupMac(readMac(frame, at + ethernetDestinationAt));
    verdict.broadcast = isGroup && hops[0] === destination;
    verdict.hops = hops;
    return verdict;
  }

  received(_frame: Uint8Array, _at: number, route: ReceivedRoute): Verdict {
    const { source, destination, via } = route;
    // Views that disagree for a moment must not bounce a frame between two peers for ever.
    const returns = via !== noPeer && this.#unicast.get(destination)?.[0] === via;
    if (returns) return this.#drop("wouldReturn");
    const from = this.#ids.idOf(source);
    const to = this.#ids.idOf(destination);
    if (from === undefined || to === undefined) return this.#drop("noShortId");
    const verdict = this.#verdict;
    verdict.drop = undefined;
    verdict.inject = true;
    verdict.mark = handoverMark(from, to);
    verdict.source = source;
    verdict.destination = destination;
    verdict.broadcast = false;
    verdict.hops = noHops;
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
}
