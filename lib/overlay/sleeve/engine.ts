import { assert } from "../../base/errors.ts";
import { formatPeerName, noPeer, type PeerName, readPeerName } from "../../base/peer-name.ts";
import type { RoutesSnapshot } from "../../base/routes-snapshot.ts";
import type { SecretBox } from "../../base/secret-box.ts";
import type { World } from "../../base/world.ts";
import { ethernetHeaderSize, type Mac } from "../../wire/ethernet.ts";
import { FrameRouter, type RouteDrop, type Verdict } from "../frame-router.ts";
import { type MacEntry, MacTable } from "../mac-table.ts";
import { OccasionalLog } from "../occasional-log.ts";
import { BufferPool, bufferSize } from "./buffer-pool.ts";
import { carriage, packetKind } from "./carriage.ts";
import {
  addLinkCounters,
  type EngineCounters,
  type LinkCounters,
  newEngineCounters,
  newLinkCounters,
} from "./counters.ts";
import { type Frame, type FrameRoute, RecordReader, senderSize } from "./datagram.ts";
import { fragment } from "./fragment.ts";
import { fragmentationNeeded, icmpReplyMax, packetTooBig } from "./icmp-reply.ts";
import { type LinkContext, SleeveLink } from "./link.ts";
import { type PathMtuPlan, prudentPlan } from "./path-mtu.ts";
import type {
  SleeveCommands,
  SleeveEvents,
  SleeveLinkParameters,
  SleevePorts,
  UdpEndpoint,
} from "./ports.ts";
import { specialKind } from "./special-frame.ts";
import { type SleeveLinkStatus, statusOf } from "./status.ts";

/**
 * Everything sleeve does on one host, without sockets, timers or threads (sleeve §11, §12).
 *
 *   captured ──▶ router ──▶ carriage ──▶ link ──▶ packed, sealed ──▶ ports.send
 *                  ▲  │         └─ too big: an ICMP error, routed like a received frame
 *   received ──────┘  └──▶ ports.inject
 *    └─ sender's name ▶ link ▶ opened ▶ records ▶ special frames to the link, others to the router
 *
 * Whoever drives it calls, in a loop: `tick`, then `captured` and `received` for a burst of frames
 * and datagrams, then `flush`; and sleeps until `nextDeadlineMs` or until a socket has something.
 * After a port was `busy` it calls `flush` again when there is room.
 */
export interface SleeveEngineOptions {
  readonly world: Pick<World, "monotonicMs" | "log">;
  readonly local: PeerName;
  readonly ports: SleevePorts;
  readonly events: SleeveEvents;
  readonly secretBox: SecretBox;
  readonly plan?: PathMtuPlan;
}

export interface SleeveCounters {
  readonly engine: EngineCounters;
  /** The sum of all links, those that are gone included. */
  readonly total: LinkCounters;
  readonly links: ReadonlyMap<number, LinkCounters>;
}

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

const dropCounter: Readonly<Record<RouteDrop, keyof EngineCounters>> = {
  spanningTree: "dropSpanningTree",
  macConflict: "dropMacConflict",
  destinationLocal: "dropDestinationLocal",
  noRoute: "dropNoRoute",
  wouldReturn: "dropWouldReturn",
};

export class SleeveEngine implements SleeveCommands {
  readonly #options: SleeveEngineOptions;
  readonly #context: LinkContext;
  readonly #clock = { nowMs: 0 };
  readonly #log: OccasionalLog;
  readonly #macs: MacTable;
  readonly #router: FrameRouter;
  readonly #links = new Map<number, SleeveLink>();
  /** Confirmed links by the peer at their other end: the only ones that carry anything. */
  readonly #byPeer = new Map<PeerName, SleeveLink>();
  readonly #counters = newEngineCounters();
  readonly #ended = newLinkCounters();
  /** Links that may have something to send at the end of this burst. */
  readonly #dirty = new Set<SleeveLink>();
  #inBurst = false;

  // Filled in again and again, so that a frame costs no object.
  readonly #reader = new RecordReader();
  readonly #frame: Mutable<Frame> = { bytes: new Uint8Array(0), at: 0, length: 0 };
  readonly #route: Mutable<FrameRoute> = { source: noPeer, destination: noPeer };
  readonly #via = { source: noPeer, destination: noPeer, via: noPeer };
  readonly #from: Mutable<UdpEndpoint> = { ip: 0, port: 0 };
  readonly #pieces = new Uint8Array(bufferSize);
  readonly #reply = new Uint8Array(icmpReplyMax);

  constructor(options: SleeveEngineOptions) {
    const { world, local, plan = prudentPlan } = options;
    this.#options = options;
    this.#log = new OccasionalLog(world);
    this.#macs = new MacTable({ local });
    this.#router = new FrameRouter(local, this.#macs);
    this.#context = {
      ...options,
      plan,
      clock: this.#clock,
      pool: new BufferPool(),
      log: this.#log,
    };
  }

  // The control plane ------------------------------------------------------------------------

  /** Makes a passive link. `link` is the caller's number for it, not in use. */
  prepare(link: number, parameters: SleeveLinkParameters): void {
    assert(!this.#links.has(link), `sleeve link ${link} is prepared twice`);
    this.#links.set(link, new SleeveLink(link, this.#context, parameters));
  }

  /** Starts a link; it replaces an earlier one to the same peer. */
  confirm(link: number): void {
    const confirmed = this.#links.get(link);
    if (confirmed === undefined) return;
    this.#byPeer.set(confirmed.remote, confirmed);
    this.#burst();
    this.#dirty.add(confirmed);
    confirmed.confirm();
    this.flush();
  }

  control(link: number, tag: number, body: Uint8Array): void {
    const controlled = this.#links.get(link);
    if (controlled === undefined) return;
    this.#burst();
    this.#dirty.add(controlled);
    controlled.control(tag, body);
    this.flush();
  }

  /** Ends a link; nothing is sent. An unknown number is ignored, for the link may just have failed. */
  stop(link: number): void {
    const stopped = this.#links.get(link);
    if (stopped === undefined) return;
    this.#links.delete(link);
    this.#dirty.delete(stopped);
    if (this.#byPeer.get(stopped.remote) === stopped) this.#byPeer.delete(stopped.remote);
    addLinkCounters(this.#ended, stopped.counters);
  }

  setTopology(snapshot: RoutesSnapshot): void {
    this.#router.setTopology(snapshot);
  }

  /** The MAC addresses of this host's containers, as far as they are known. */
  setResidents(macs: Iterable<Mac>): void {
    this.#burst();
    this.#macs.setResidents(macs, this.#clock.nowMs);
  }

  // Time ---------------------------------------------------------------------------------------

  /** Does what is due. `nowMs` is the monotonic clock of the world. */
  tick(nowMs: number): void {
    this.#clock.nowMs = nowMs;
    this.#inBurst = true;
    this.#macs.sweep(nowMs);
    for (const link of this.#links.values()) {
      if (nowMs < link.deadlineMs) continue;
      this.#dirty.add(link);
      if (!link.tick()) this.#lost(link);
    }
    this.flush();
  }

  #lost(link: SleeveLink): void {
    this.stop(link.id);
    const text = "timed out waiting for UDP heartbeat";
    this.#options.events.failed(link.id, "SLEEVE_HEARTBEAT_TIMEOUT", text);
  }

  /** When {@link tick} has something to do next, in monotonic milliseconds. */
  nextDeadlineMs(): number {
    let deadlineMs = this.#macs.sweepAtMs;
    for (const link of this.#links.values()) deadlineMs = Math.min(deadlineMs, link.deadlineMs);
    return deadlineMs;
  }

  /** Reads the clock once per burst. */
  #burst(): void {
    if (this.#inBurst) return;
    this.#inBurst = true;
    this.#clock.nowMs = this.#options.world.monotonicMs();
  }

  // The packet path ------------------------------------------------------------------------------

  /** A frame of the local bridge: `length` octets of `buffer` from `offset`. */
  captured(buffer: Uint8Array, offset: number, length: number): void {
    this.#burst();
    this.#counters.framesCaptured++;
    if (length < ethernetHeaderSize) {
      this.#counters.dropRunt++;
      return;
    }
    this.#take(buffer, offset, length);
    this.#obey(this.#router.captured(buffer, offset, this.#clock.nowMs));
  }

  /**
   * A datagram from `ip`:`port`: `length` octets of `buffer` from `offset`. An encrypted one is
   * deciphered where it lies.
   */
  received(buffer: Uint8Array, offset: number, length: number, ip: number, port: number): void {
    this.#burst();
    const link = length < senderSize ? undefined : this.#byPeer.get(readPeerName(buffer, offset));
    if (link === undefined) {
      this.#counters.datagramsFromStrangers++;
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
    this.#note("warn", link, `damaged datagram: ${reader.fault}`);
  }

  #opened(link: SleeveLink, buffer: Uint8Array, offset: number, length: number): boolean {
    const fault = link.opener.open(buffer, offset, length);
    if (fault === undefined) return true;
    if (fault === "replayed") link.counters.replays++;
    else {
      if (fault === "tooShort") link.counters.datagramFaults++;
      else link.counters.decryptFailures++;
      this.#note("warn", link, `cannot open a datagram: ${fault}`);
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
      const ours = source === link.remote && destination === this.#options.local;
      this.#dirty.add(link);
      if (ours) link.special(kind, this.#frame, this.#from);
      else counters.specialIgnored++;
      return;
    }
    counters.framesIn++;
    counters.frameOctetsIn += frameLength;
    if (source === this.#options.local) this.#cameBack(link);
    this.#deliver(source, destination, link.remote);
  }

  /** Our neighbours may speak before the next topology snapshot names them. */
  #knows(peer: PeerName): boolean {
    return this.#router.knows(peer) || this.#byPeer.has(peer);
  }

  #cameBack(link: SleeveLink): void {
    this.#counters.ownFramesReceived++;
    this.#note("warn", link, "a frame that we captured came back");
  }

  #take(bytes: Uint8Array, at: number, length: number): void {
    this.#frame.bytes = bytes;
    this.#frame.at = at;
    this.#frame.length = length;
  }

  /** Routes the frame at hand as one that came from `via`. */
  #deliver(source: PeerName, destination: PeerName, via: PeerName): void {
    const { bytes, at } = this.#frame;
    this.#via.source = source;
    this.#via.destination = destination;
    this.#via.via = via;
    this.#obey(this.#router.received(bytes, at, this.#via, this.#clock.nowMs));
  }

  /** Does with the frame at hand what the router says. */
  #obey(verdict: Verdict): void {
    if (verdict.drop !== undefined) {
      this.#counters[dropCounter[verdict.drop]]++;
      return;
    }
    if (verdict.inject) {
      this.#counters.framesInjected++;
      this.#options.ports.inject(this.#frame.bytes, this.#frame.at, this.#frame.length);
    }
    const { source, destination, broadcast, hops } = verdict;
    for (const hop of hops) {
      this.#route.source = source;
      this.#route.destination = broadcast ? hop : destination;
      const link = this.#byPeer.get(hop);
      if (link === undefined) this.#counters.dropNoLink++;
      else this.#send(link, broadcast);
    }
  }

  /** Sends the frame at hand on a link, along the route at hand. */
  #send(link: SleeveLink, broadcast: boolean): void {
    const frame = this.#frame;
    this.#dirty.add(link);
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
    const { source, destination } = this.#route;
    const write = ipv6 ? packetTooBig : fragmentationNeeded;
    const length = write(this.#frame, link.path.ceiling, this.#reply);
    if (length === 0) return;
    link.counters.tooBigReplies++;
    this.#take(this.#reply, 0, length);
    this.#deliver(destination, source, noPeer);
  }

  /** Ends the burst: what is packed goes out. */
  flush(): void {
    for (const link of this.#dirty) {
      link.flush();
      if (!link.waiting) this.#dirty.delete(link);
    }
    this.#options.ports.flush();
    this.#inBurst = false;
  }

  /** Whether datagrams wait for room in a socket: then `flush` again when there is some. */
  get waiting(): boolean {
    return this.#dirty.size > 0;
  }

  /** A datagram that a port took was refused later, when its batch was sent. */
  sendFailed(
    link: number,
    result: { readonly pathMtu: number } | { readonly error: string },
  ): void {
    const failed = this.#links.get(link);
    if (failed === undefined) return;
    this.#burst();
    this.#dirty.add(failed);
    if ("pathMtu" in result) {
      failed.counters.sendTooBig++;
      failed.tooBig(result.pathMtu);
    } else {
      failed.counters.sendErrors++;
      failed.sendFailed(result.error);
    }
  }

  // What can be seen -----------------------------------------------------------------------------

  counters(): SleeveCounters {
    const total = { ...this.#ended };
    const links = new Map<number, LinkCounters>();
    for (const [id, link] of this.#links) {
      addLinkCounters(total, link.counters);
      links.set(id, { ...link.counters });
    }
    return { engine: { ...this.#counters }, total, links };
  }

  /** Every known MAC address, ascending. */
  macs(): MacEntry[] {
    return this.#macs.list();
  }

  links(): SleeveLinkStatus[] {
    return [...this.#links.values()].map(statusOf);
  }

  #note(level: "warn", link: SleeveLink, text: string): void {
    const peer = formatPeerName(link.remote);
    this.#log.note(level, `${peer} ${text}`, () => `sleeve from ${peer}: ${text}`);
  }
}
