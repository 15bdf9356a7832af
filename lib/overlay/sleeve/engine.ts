import type { Aead } from "../../base/aead.ts";
import { assert } from "../../base/errors.ts";
import type { HostIp } from "../../base/ip.ts";
import type { LinkTraffic } from "../../base/overlay.ts";
import type { PeerName } from "../../base/peer-name.ts";
import type { RoutesSnapshot } from "../../base/routes-snapshot.ts";
import type { SecretBox } from "../../base/secret-box.ts";
import type { World } from "../../base/world.ts";
import type { Mac } from "../../wire/ethernet.ts";
import { FrameRouter } from "../frame-router.ts";
import type { FrameSwitch } from "../frame-switch.ts";
import { HandoverSwitch } from "../handover-switch.ts";
import { type MacEntry, MacTable } from "../mac-table.ts";
import { OccasionalLog } from "../occasional-log.ts";
import { type PathMtuPlan, prudentPlan } from "../path-mtu-plan.ts";
import { BufferPool } from "./buffer-pool.ts";
import {
  addLinkCounters,
  type EngineCounters,
  type LinkCounters,
  newEngineCounters,
  newLinkCounters,
  trafficOf,
} from "./counters.ts";
import type { GenerationSecrets } from "./key-ratchet.ts";
import { type LinkContext, SleeveLink } from "./link.ts";
import { PacketPath } from "./packet-path.ts";
import type {
  SleeveCommands,
  SleeveEvents,
  SleeveLinkParameters,
  SleevePorts,
  UdpEndpoint,
} from "./ports.ts";
import { type SleeveLinkStatus, statusOf } from "./status.ts";

/**
 * Everything sleeve does on one host, without sockets, timers or threads.
 *
 *    control plane ── prepare, confirm, control, stop, setTopology ──▶ ┌────────┐ ──▶ events
 *           clock ── tick ──────────────────────────────────────────▶ │ engine │ ──▶ ports.send
 *          bridge ── captured ──────────────────────────────────────▶ │        │ ──▶ ports.inject
 *         network ── received ──────────────────────────────────────▶ └────────┘
 *
 * Whoever drives it calls, in a loop: `tick`, then `captured` and `received` for a burst of frames
 * and datagrams, then `flush`; and sleeps until `nextDeadlineMs` or until a socket has something.
 * After a port was `busy` it calls `flush` again when there is room. Ports and events may issue
 * commands, but must not hand in frames or datagrams before the call they are in has returned.
 */
export interface SleeveEngineOptions {
  readonly world: Pick<World, "monotonicMs" | "log">;
  readonly local: PeerName;
  readonly ports: SleevePorts;
  readonly events: SleeveEvents;
  readonly secretBox: SecretBox;
  /** Missing on a machine without AES: then no link may have `secrets`. */
  readonly aead?: Aead | undefined;
  readonly plan?: PathMtuPlan;
  /**
   * Frames come from a kernel datapath, which decides where they go, and not from a bridge: the
   * largest packet that it takes.
   */
  readonly datapathMtu?: number | undefined;
}

export interface SleeveCounters {
  readonly engine: EngineCounters;
  /** The sum of all links, those that are gone included. */
  readonly total: LinkCounters;
  readonly links: ReadonlyMap<number, LinkCounters>;
}

export class SleeveEngine implements SleeveCommands {
  readonly #options: SleeveEngineOptions;
  readonly #context: LinkContext;
  readonly #clock = { nowMs: 0 };
  readonly #macs: MacTable;
  readonly #router: FrameSwitch;
  readonly #packets: PacketPath;
  readonly #links = new Map<number, SleeveLink>();
  /** Confirmed links by the peer at their other end: the only ones that carry anything. */
  readonly #byPeer = new Map<PeerName, SleeveLink>();
  readonly #counters = newEngineCounters();
  readonly #ended = newLinkCounters();
  /** Links that may have something to send at the end of this burst. */
  readonly #dirty = new Set<SleeveLink>();
  #inBurst = false;

  constructor(options: SleeveEngineOptions) {
    const { world, local, plan = prudentPlan } = options;
    this.#options = options;
    const log = new OccasionalLog(world);
    this.#macs = new MacTable({ local });
    this.#router =
      options.datapathMtu === undefined
        ? new FrameRouter(local, this.#macs)
        : new HandoverSwitch(local);
    this.#context = {
      ...options,
      plan,
      clock: this.#clock,
      pool: new BufferPool(),
      log,
    };
    this.#packets = new PacketPath({
      local,
      log,
      ports: options.ports,
      clock: this.#clock,
      router: this.#router,
      counters: this.#counters,
      byPeer: this.#byPeer,
      dirty: this.#dirty,
    });
  }

  // The control plane ------------------------------------------------------------------------

  /** Makes a passive link. `link` is the caller's number for it, not in use. */
  prepare(link: number, parameters: SleeveLinkParameters): void {
    assert(!this.#links.has(link), `sleeve link ${link} is prepared twice`);
    const heardAt = parameters.heardAt ?? this.#formerEndpoint(parameters);
    const known = heardAt === undefined ? parameters : { ...parameters, heardAt };
    this.#links.set(link, new SleeveLink(link, this.#context, known));
  }

  /** Where a peer to which there is a link already was heard till now: it need not be waited for. */
  #formerEndpoint({ remote, remoteIp }: SleeveLinkParameters): UdpEndpoint | undefined {
    const former = this.#byPeer.get(remote)?.endpoint;
    return former?.ip === remoteIp ? former : undefined;
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

  /** The peer of a link can deliver no larger packets than these. */
  limit(link: number, peerTakes: number): void {
    this.#links.get(link)?.limit(peerTakes);
  }

  /** The path of a link was found to carry no larger packets than these. */
  narrow(link: number, pathMtu: number): void {
    const narrowed = this.#links.get(link);
    if (narrowed === undefined) return;
    this.#burst();
    this.#dirty.add(narrowed);
    narrowed.tooBig(pathMtu);
    this.flush();
  }

  /** Begins a later generation of a link's keys. */
  renew(link: number, secrets: GenerationSecrets): void {
    this.#burst();
    this.#links.get(link)?.renew(secrets);
  }

  /** Ends a link; nothing is sent. An unknown number is ignored, for the link may just have failed. */
  stop(link: number): void {
    const stopped = this.#links.get(link);
    if (stopped === undefined) return;
    this.#links.delete(link);
    this.#dirty.delete(stopped);
    if (this.#byPeer.get(stopped.remote) === stopped) this.#byPeer.delete(stopped.remote);
    stopped.close();
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

  /**
   * A frame of the local bridge: `length` octets of `buffer` from `offset`; with its packet mark when
   * it comes from a kernel datapath. False when it was too big for its path, and its sender told so:
   * the same would happen to others of its size.
   */
  captured(buffer: Uint8Array, offset: number, length: number, mark = 0): boolean {
    this.#burst();
    return this.#packets.captured(buffer, offset, length, mark);
  }

  /**
   * A datagram from `ip`:`port`: `length` octets of `buffer` from `offset`. An encrypted one is
   * deciphered where it lies.
   */
  received(buffer: Uint8Array, offset: number, length: number, ip: HostIp, port: number): void {
    this.#burst();
    this.#packets.received(buffer, offset, length, ip, port);
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

  traffic(link: number): LinkTraffic | undefined {
    const counted = this.#links.get(link);
    return counted && trafficOf(counted.counters);
  }

  /** Every known MAC address, ascending. */
  macs(): MacEntry[] {
    return this.#macs.list();
  }

  links(): SleeveLinkStatus[] {
    return [...this.#links.values()].map(statusOf);
  }
}
