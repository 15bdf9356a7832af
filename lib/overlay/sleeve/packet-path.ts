import { emptyBytes } from "../../base/bytes.ts";
import type { HostIp } from "../../base/ip.ts";
import { formatPeerName, noPeer, type PeerName, readPeerName } from "../../base/peer-name.ts";
import { ethernetHeaderSize } from "../../wire/ethernet.ts";
import type { FrameSwitch, ReceivedRoute, RouteDrop, Verdict } from "../frame-switch.ts";
import type { OccasionalLog } from "../occasional-log.ts";
import { TokenBucket } from "../token-bucket.ts";
import { bufferSize } from "./buffer-pool.ts";
import { carriage, packetKind } from "./carriage.ts";
import type { EngineCounters } from "./counters.ts";
import { type Frame, type FrameRoute, RecordReader, senderSize } from "./datagram.ts";
import { fragment } from "./fragment.ts";
import { fragmentationNeeded, icmpReplyMax, packetTooBig } from "./icmp-reply.ts";
import type { SleeveLink } from "./link.ts";
import type { BurstClock } from "./path.ts";
import type { SleevePorts, UdpEndpoint } from "./ports.ts";
import { specialKind } from "./special-frame.ts";

/**
 * The way of frames and datagrams through sleeve (sleeve §11, §12).
 *
 *   captured ──▶ router ──▶ carriage ──▶ link.queue
 *                  ▲  │         └─ too big: an ICMP error, routed like a received frame
 *   received ──────┘  └──▶ ports.inject
 *    └─ sender's name ▶ link ▶ opened ▶ records ▶ special frames to the link, others to the router
 *
 * It works on one frame at a time, the *frame at hand*, whose description is filled in again and
 * again so that no frame costs an object.
 */
export interface PacketPathParts {
  readonly local: PeerName;
  readonly clock: BurstClock;
  readonly router: Pick<FrameSwitch, "captured" | "received" | "knows">;
  readonly ports: Pick<SleevePorts, "inject">;
  readonly counters: EngineCounters;
  readonly log: OccasionalLog;
  /** Confirmed links by the peer at their other end: the only ones that carry anything. */
  readonly byPeer: ReadonlyMap<PeerName, SleeveLink>;
  /** Links that may have something to send at the end of this burst. */
  readonly dirty: Set<SleeveLink>;
}

/** How many senders are told in a second that their packets are too big; others just lose them. */
export const tooBigRepliesBurst = 256;
export const tooBigRepliesPerSecond = 1000;

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

const dropCounter: Readonly<Record<RouteDrop, keyof EngineCounters>> = {
  spanningTree: "dropSpanningTree",
  macConflict: "dropMacConflict",
  destinationLocal: "dropDestinationLocal",
  noRoute: "dropNoRoute",
  wouldReturn: "dropWouldReturn",
  unmarked: "dropUnmarked",
  noShortId: "dropNoShortId",
};

export class PacketPath {
  readonly #parts: PacketPathParts;
  readonly #reader = new RecordReader();
  readonly #frame: Mutable<Frame> = { bytes: emptyBytes, at: 0, length: 0 };
  readonly #route: Mutable<FrameRoute> = { source: noPeer, destination: noPeer };
  readonly #received: Mutable<ReceivedRoute> = { source: noPeer, destination: noPeer, via: noPeer };
  readonly #from: Mutable<UdpEndpoint> = { ip: 0, port: 0 };
  readonly #pieces = new Uint8Array(bufferSize);
  readonly #reply = new Uint8Array(icmpReplyMax);
  readonly #replies = new TokenBucket({
    burst: tooBigRepliesBurst,
    perSecond: tooBigRepliesPerSecond,
  });
  /** Whether the frame that was captured last was too big for its path. */
  #isRefused = false;

  constructor(parts: PacketPathParts) {
    this.#parts = parts;
  }

  /**
   * A frame of the local bridge: `length` octets of `buffer` from `offset`, with the packet mark that
   * a kernel datapath gave it. False when it was too big for its path.
   */
  captured(buffer: Uint8Array, offset: number, length: number, mark: number): boolean {
    this.#parts.counters.framesCaptured++;
    if (length < ethernetHeaderSize) {
      this.#parts.counters.dropRunt++;
      return true;
    }
    this.#isRefused = false;
    this.#take(buffer, offset, length);
    this.#obey(this.#parts.router.captured(buffer, offset, this.#parts.clock.nowMs, mark));
    return !this.#isRefused;
  }

  /**
   * A datagram from `ip`:`port`: `length` octets of `buffer` from `offset`. An encrypted one is
   * deciphered where it lies.
   */
  received(buffer: Uint8Array, offset: number, length: number, ip: HostIp, port: number): void {
    const link =
      length < senderSize ? undefined : this.#parts.byPeer.get(readPeerName(buffer, offset));
    if (link === undefined) {
      this.#parts.counters.datagramsFromStrangers++;
      return;
    }
    link.counters.datagramsIn++;
    link.counters.datagramOctetsIn += length;
    if (!this.#opened(link, buffer, offset, length)) return;
    this.#from.ip = ip;
    this.#from.port = port;
    const reader = this.#reader;
    reader.begin(buffer, offset + link.opener.headSize, offset + length);
    while (reader.next()) this.#record(link, buffer);
    if (reader.fault === undefined) return;
    link.counters.datagramFaults++;
    this.#warn(link, `damaged datagram: ${reader.fault}`);
  }

  #opened(link: SleeveLink, buffer: Uint8Array, offset: number, length: number): boolean {
    const fault = link.opener.open(buffer, offset, length);
    if (fault === undefined) return true;
    if (fault === "replayed") link.counters.replays++;
    else if (fault === "unknownEpoch") link.counters.unknownEpochs++;
    else {
      if (fault === "tooShort") link.counters.datagramFaults++;
      else link.counters.decryptFailures++;
      this.#warn(link, `cannot open a datagram: ${fault}`);
    }
    return false;
  }

  /** The record under the reader. */
  #record(link: SleeveLink, buffer: Uint8Array): void {
    const { source, destination, frameAt, frameLength } = this.#reader;
    const { counters } = link;
    if (frameLength < ethernetHeaderSize) {
      counters.dropRunt++;
      return;
    }
    if (!this.#knows(source) || !this.#knows(destination)) {
      counters.dropUnknownPeer++;
      return;
    }
    this.#take(buffer, frameAt, frameLength);
    const kind = specialKind(buffer, frameAt, frameLength);
    if (kind !== undefined) {
      const ours = source === link.remote && destination === this.#parts.local;
      this.#parts.dirty.add(link);
      if (ours) link.special(kind, this.#frame, this.#from);
      else counters.specialIgnored++;
      return;
    }
    counters.framesIn++;
    counters.frameOctetsIn += frameLength;
    if (source === this.#parts.local) this.#cameBack(link);
    this.#deliver(source, destination, link.remote);
  }

  /** Our neighbours may speak before the next topology snapshot names them. */
  #knows(peer: PeerName): boolean {
    return this.#parts.router.knows(peer) || this.#parts.byPeer.has(peer);
  }

  #cameBack(link: SleeveLink): void {
    this.#parts.counters.ownFramesReceived++;
    this.#warn(link, "a frame that we captured came back");
  }

  #take(bytes: Uint8Array, at: number, length: number): void {
    this.#frame.bytes = bytes;
    this.#frame.at = at;
    this.#frame.length = length;
  }

  /** Routes the frame at hand as one that came from `via`. */
  #deliver(source: PeerName, destination: PeerName, via: PeerName): void {
    const { bytes, at } = this.#frame;
    this.#received.source = source;
    this.#received.destination = destination;
    this.#received.via = via;
    this.#obey(this.#parts.router.received(bytes, at, this.#received, this.#parts.clock.nowMs));
  }

  /** Does with the frame at hand what the router says. */
  #obey(verdict: Verdict): void {
    if (verdict.drop !== undefined) {
      this.#parts.counters[dropCounter[verdict.drop]]++;
      return;
    }
    if (verdict.inject) {
      this.#parts.counters.framesInjected++;
      const { bytes, at, length } = this.#frame;
      this.#parts.ports.inject(bytes, at, length, verdict.mark);
    }
    const { source, destination, broadcast, hops } = verdict;
    for (const hop of hops) {
      this.#route.source = source;
      this.#route.destination = broadcast ? hop : destination;
      const link = this.#parts.byPeer.get(hop);
      if (link === undefined) this.#parts.counters.dropNoLink++;
      else this.#send(link, broadcast);
    }
  }

  /** Sends the frame at hand on a link, along the route at hand. */
  #send(link: SleeveLink, broadcast: boolean): void {
    const frame = this.#frame;
    this.#parts.dirty.add(link);
    const kind = packetKind(frame.bytes, frame.at, frame.length);
    switch (carriage(kind, frame.length, link.path, broadcast)) {
      case "df":
        link.queue(true, this.#route, frame);
        break;
      case "whole":
        link.queue(false, this.#route, frame);
        break;
      case "split":
        this.#split(link);
        break;
      case "refuse":
        this.#refuse(link, kind === "ipv6");
        break;
      case "drop":
        link.counters.dropBroadcastTooBig++;
        break;
    }
  }

  #split(link: SleeveLink): void {
    const pieces = fragment(this.#frame, link.path.mtu, this.#pieces, (piece) =>
      link.queue(true, this.#route, piece),
    );
    link.counters.fragmentsOut += pieces;
    if (pieces === 0) link.counters.dropIndivisible++;
  }

  /** Tells the sender of the frame at hand, as if the peer it was for had answered. */
  #refuse(link: SleeveLink, ipv6: boolean): void {
    this.#isRefused = true;
    if (!this.#replies.take(this.#parts.clock.nowMs)) {
      link.counters.dropTooBigSilently++;
      return;
    }
    const { source, destination } = this.#route;
    const write = ipv6 ? packetTooBig : fragmentationNeeded;
    const length = write(this.#frame, link.path.ceiling, this.#reply);
    if (length === 0) return;
    link.counters.tooBigReplies++;
    this.#take(this.#reply, 0, length);
    this.#deliver(destination, source, noPeer);
  }

  #warn(link: SleeveLink, text: string): void {
    const peer = formatPeerName(link.remote);
    this.#parts.log.note("warn", `${peer} ${text}`, () => `sleeve from ${peer}: ${text}`);
  }
}
