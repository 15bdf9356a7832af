import { type PeerGraph, unicastRoutes } from "../base/peer-graph.ts";
import { noPeer, type PeerName } from "../base/peer-name.ts";
import type { RoutesSnapshot } from "../base/routes-snapshot.ts";

/** Who says where frames go: a router of frames, or a kernel datapath through its marks. */
export interface FrameSwitch {
  setTopology(snapshot: RoutesSnapshot): void;
  /** Whether `peer` is in the topology; frames from or for others are not ours to carry. */
  knows(peer: PeerName): boolean;
  /** A frame of our own bridge, at least an Ethernet header long, with its packet mark. */
  captured(frame: Uint8Array, at: number, nowMs: number, mark: number): Verdict;
  /** A frame that came over an overlay. Its source and destination are known to the topology. */
  received(frame: Uint8Array, at: number, route: ReceivedRoute, nowMs: number): Verdict;
}

/** Whose frame it is, whom it is for, and which neighbour handed it to us. */
export interface ReceivedRoute {
  readonly source: PeerName;
  readonly destination: PeerName;
  /** `noPeer` for a frame that we made on the way, such as an ICMP error. */
  readonly via: PeerName;
}

/** Why a frame goes nowhere. */
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

export const noHops: readonly PeerName[] = [];

/**
 * The one answer of a {@link FrameSwitch}, written anew for each frame, so that a frame costs no
 * allocation.
 */
export class ReusedVerdict implements Verdict {
  drop: RouteDrop | undefined = undefined;
  inject = false;
  mark = 0;
  source: PeerName = noPeer;
  destination: PeerName = noPeer;
  broadcast = false;
  hops: readonly PeerName[] = noHops;

  /** The frame goes on to `hops`, if there are any. */
  aim(destination: PeerName, hops: readonly PeerName[]): this {
    this.drop = undefined;
    this.destination = destination;
    this.broadcast = false;
    this.hops = hops;
    return this;
  }

  /** The frame ends here. */
  end(reason: RouteDrop): this {
    this.drop = reason;
    this.inject = false;
    this.broadcast = false;
    this.hops = noHops;
    return this;
  }
}

/** Destination → the next hop alone in an array, ready to be handed out. */
export function unicastHops(graph: PeerGraph, local: PeerName): Map<PeerName, readonly PeerName[]> {
  const hops = new Map<PeerName, readonly PeerName[]>();
  for (const [destination, hop] of unicastRoutes(graph, local)) {
    if (hop !== noPeer) hops.set(destination, [hop]);
  }
  return hops;
}
