import type { WeaveError } from "../../base/errors.ts";
import type { LinkTraffic } from "../../base/overlay.ts";
import type { Mac } from "../../wire/ethernet.ts";
import { makeVni, type ShortId } from "./vni.ts";

export type { ShortId } from "./vni.ts";

/**
 * What the fast datapath needs of a kernel: the contract between the pure core of this room, which
 * knows peers, links and routes, and a backend in `lib/host/datapath`, which knows tables, devices
 * and programs. Everything that crosses is plain data, so that a backend may live in a thread of its
 * own; no call waits for the wire.
 *
 *   core ──setNeighbour, change, sendHeartbeat──▶ ┌──────────┐ ══ VXLAN ══ neighbours by fastdp
 *        ◀─heartbeat, failed──────────────────── │ datapath │
 *                       containers ═ bridge ════ └────┬─────┘
 *                                                     │ handover port: frames with a mark
 *                                              sleeve's worker ══ UDP ══ neighbours by sleeve
 *
 * **One brain.** While a datapath runs, it alone decides for every frame of this host: it learns MAC
 * addresses, looks up the next hop and floods. Sleeve's worker is then a kind of wire: it gets
 * frames whose originator and destination have been decided, and hands in those that it received.
 * Its device is no port of the bridge, so nothing is delivered twice.
 *
 * **A frame of a container** (captured; `self` is our short id):
 *   1. destination 01:80:c2:00:00:00 → drop (`spanningTree`)
 *   2. learn its source at `self`; if that address was heard from another peer less than a second
 *      ago, drop instead (`macConflict`, a bridging loop)
 *   3. destination known: at `self` → drop (`destinationLocal`); at peer D → hop of D with VNI
 *      `self | D << 12`; no hop → drop (`noRoute`)
 *   4. otherwise, group addresses included, for every N of the tree of `self`: to N with VNI
 *      `self | N << 12`
 *
 * **A frame from the wire or from sleeve** with VNI `S | D << 12`:
 *   1. S is `self`, or nothing is known of S (neither hop nor neighbour) → drop (`unknownPeer`)
 *   2. on the wire, both MAC addresses and the type zero → {@link DatapathEvents.heartbeat}, from
 *      any outer source: a neighbour may have moved, and heartbeats prove themselves
 *   3. on the wire: outer source is no neighbour's → drop (`unknownSource`). So nothing is taken in
 *      clear from a host with which frames are to be encrypted: it is no neighbour
 *   4. D is not `self` → hop of D with the same VNI, never back to the neighbour it came from
 *      (`wouldReturn`); nothing is learned
 *   5. otherwise learn its source at S, always; deliver it to the bridge; and unless its
 *      destination is known to be at `self`, also to every N of the tree of S with VNI
 *      `S | N << 12`, never back to the neighbour it came from
 *
 * "To N" and "hop of D" mean by {@link NextHop}: through the tunnel to a neighbour, or to sleeve
 * with the mark of {@link handoverMark}. In a flood the hop of N is that of N's own entry. A frame
 * too large for the tunnel to a neighbour ({@link DatapathNeighbour.mtu}) goes to sleeve as well,
 * which carries it in pieces or tells its sender; of a super-frame each segment counts.
 *
 * **Outer packets** are as in fastdp §2.1: DF, TTL 64, TOS 0, checksum 0, destination port and
 * source address of the neighbour.
 */

/** How to reach a peer at the other end of a connection. Addresses are IPv4 as 32-bit numbers. */
export interface DatapathNeighbour {
  readonly shortId: ShortId;
  /** Outer source of what we send. */
  readonly localIp: number;
  /** Outer destination; frames are taken from the addresses of all neighbours and no others. */
  readonly remoteIp: number;
  /** UDP destination port in both directions: of the accepting side (fastdp §2.3). */
  readonly port: number;
  /** Largest packet that takes the tunnel, octets; `undefined` for any. Heartbeats always do. */
  readonly mtu?: number | undefined;
  /** Whether the kernel encrypts what is exchanged with it, by policies that name the port. */
  readonly encrypted?: boolean;
}

export type NextHop =
  /** Through the tunnel to this neighbour, which has been set. */
  | { readonly kind: "tunnel"; readonly neighbour: ShortId }
  /** Through the handover port; sleeve's worker finds the link. */
  | { readonly kind: "sleeve" };

/** What has changed in the tables; whatever is not mentioned stays. */
export interface ForwardingChanges {
  /** Our own short id; missing: as before. Before the first one, frames of containers are dropped. */
  readonly self?: ShortId;
  /** By destination, never `self`; `undefined`: no route any more. */
  readonly hops: ReadonlyMap<ShortId, NextHop | undefined>;
  /** By originator: where its floods go on from here. Empty, as for everybody not named: nowhere. */
  readonly trees: ReadonlyMap<ShortId, readonly ShortId[]>;
}

/** What a datapath that outlived an earlier process still forwards by. */
export interface AdoptedTables {
  readonly self: ShortId | undefined;
  readonly neighbours: readonly DatapathNeighbour[];
  readonly hops: ReadonlyMap<ShortId, NextHop>;
  readonly trees: ReadonlyMap<ShortId, readonly ShortId[]>;
}

/** What came of a neighbour's own, through the tunnel. */
export interface NeighbourTraffic {
  /** How long ago anything did, heartbeats included, in ms; resolution of some ms. */
  readonly silenceMs: number;
  /** Counts the moments of some ms in which frames came, up to 2^32 and from 0 again. */
  readonly activity: number;
}

export interface DatapathMac {
  readonly mac: Mac;
  readonly shortId: ShortId;
  /** How long ago a frame from it was seen; resolution of a second. */
  readonly ageMs: number;
}

export interface DatapathCounters {
  /** Frames of containers sent through the tunnel, each copy of a flood counted. */
  readonly sentFrames: number;
  readonly sentBytes: number;
  /** Frames delivered to the bridge from the tunnel. */
  readonly receivedFrames: number;
  readonly receivedBytes: number;
  readonly relayedFrames: number;
  readonly floodedFrames: number;
  /** Through the handover port, to sleeve and from it. */
  readonly handedOverFrames: number;
  readonly handedInFrames: number;
  /** Drops by reason: the words in parentheses above, and those of the backend. */
  readonly drops: Readonly<Record<string, number>>;
}

/** A heartbeat from the wire, before anything but its zero addresses and type was looked at. */
export interface HeardHeartbeat {
  readonly source: ShortId;
  readonly destination: ShortId;
  /** Outer source address. */
  readonly remoteIp: number;
  /** The VXLAN port of ours at which it came in, not the outer source port. */
  readonly port: number;
  /** The frame from its destination address, at least the first 25 octets of it if it has them. */
  readonly frame: Uint8Array;
  /** Octets of the whole frame. */
  readonly length: number;
}

export interface DatapathEvents {
  heartbeat(heard: HeardHeartbeat): void;
  /** The datapath is gone and cannot be mended; nothing is to be asked of it any more. */
  failed(error: WeaveError): void;
}

/** A kernel datapath at work. Made by a backend; its devices and tables stand. */
export interface KernelDatapath {
  /** `ebpf`, `ovs`, …; shown in status. */
  readonly backend: string;
  /** Inner MTU: largest IP packet of a container. */
  readonly mtu: number;
  /** What it took over from an earlier process; `undefined` when it began empty. */
  readonly adopted: AdoptedTables | undefined;

  /** Connects the core, once; events from now on, never inside a call to this interface. */
  connect(events: DatapathEvents): void;

  /**
   * Adds a neighbour, or replaces what was known of its short id. Heartbeats can be sent to it and
   * are taken from it whatever its hop is. Opens a VXLAN port when it is the first that needs it.
   *
   * @throws WeaveError when it cannot be served, e.g. `FASTDP_PORT` for a port in use
   */
  setNeighbour(neighbour: DatapathNeighbour): void;
  /** No hop leads to it any more. An unknown one is ignored. */
  removeNeighbour(shortId: ShortId): void;
  change(changes: ForwardingChanges): void;
  /** Forgets the addresses at this peer: it left, or the id means another peer now. */
  forgetMacs(shortId: ShortId): void;
  /** The addresses of our own containers, whole: here at once, never aged, never evicted. */
  setResidents(macs: readonly Mac[]): void;
  /** Missing in a datapath that does not count by neighbour. */
  traffic?(shortId: ShortId): NeighbourTraffic | undefined;
  /**
   * Frames that went to a neighbour and came from it through the tunnel, relayed ones included. What
   * was counted before it was set may be in it: only differences tell. Missing as above.
   */
  carried?(shortId: ShortId): LinkTraffic | undefined;
  /**
   * Whether {@link carried} has every frame, whoever its originator is, and of a super-frame each
   * segment: then the counts of both ends of a link can be compared.
   */
  readonly countsEachFrame?: boolean;
  /** Sends a frame with VNI `self | shortId << 12` to a neighbour. What fails is counted only. */
  sendHeartbeat(shortId: ShortId, frame: Uint8Array): void;

  /** By address. */
  macs(): readonly DatapathMac[];
  counters(): DatapathCounters;
  /**
   * Ends this process's part: descriptors, threads. Devices, programs and tables stay and go on
   * forwarding, for the next process to adopt.
   */
  close(): void;
}

// The handover port ------------------------------------------------------------------------------

/**
 * Between datapath and sleeve's worker lies a veth pair; frames on it carry in their packet mark
 * what the VNI would say. The worker reads marks with `SO_RCVMARK` and sets `SO_MARK` whenever
 * frames of another mark follow; the datapath reads and sets them in its programs, or by flows that
 * match and set the mark. Frames may be super-frames with unfinished checksums, as at a tap.
 *
 *   31          25  24  23         12 11          0
 *   │ 0           │ k │ destination  │ originator  │      k = 1: a frame between the two
 *   │ 0 0 0 0 0 0 1 0 │ destination  │ originator  │      a heartbeat, see {@link heartbeatFlag}
 *
 * Into the datapath, a frame without a valid mark is dropped (`unmarked`). The worker does the same.
 */
export const handoverFlag = 0x0100_0000;

/**
 * A backend whose programs cannot talk to user space otherwise may send heartbeats to the worker,
 * which passes them on to {@link DatapathEvents.heartbeat}: mark `heartbeatFlag | VNI`, type kept,
 * the 12 zero octets of the addresses replaced by outer source address (4, big-endian), VXLAN port
 * (2, big-endian), {@link heartbeatMagic} (6).
 */
export const heartbeatFlag = 0x0200_0000;
export const heartbeatMagic: readonly number[] = [0x02, 0x77, 0x76, 0x68, 0x62, 0x74];

/** The mark of a frame that `originator` sent, on its way to `destination`. */
export function handoverMark(originator: ShortId, destination: ShortId): number {
  return handoverFlag | makeVni(originator, destination);
}

/** Whether it is the mark of a frame between datapath and sleeve. */
export function isHandoverMark(mark: number): boolean {
  return mark >>> 24 === handoverFlag >>> 24;
}
