import { WeaveError } from "../base/errors.ts";
import type { GossipData } from "../base/gossip.ts";
import type { PeerName } from "../base/peer-name.ts";
import type { RoutesSnapshot } from "../base/routes-snapshot.ts";
import type { Cancel, World } from "../base/world.ts";
import { Announcer } from "./announcer.ts";
import { Collector } from "./collector.ts";
import { OwnRecord } from "./own-record.ts";
import type { PeerLink, PeerRecord } from "./peer-record.ts";
import { type AppliedUpdate, Peers } from "./peers.ts";
import { Routes } from "./routes.ts";
import { TopologyChannel } from "./topology-channel.ts";

/**
 * How long we wait after the first news for a record of our former incarnation: whoever tells of
 * itself may tell the rest a moment later, and with it the short id that we had.
 */
export const firstShortIdWaitMs = 300;

/** What becomes of a change of the topology elsewhere. */
export interface TopologyEvents {
  /** Records to tell to random neighbours. */
  tell(records: GossipData): void;
  /** Records to tell to every neighbour. */
  tellNeighbours(records: GossipData): void;
  /** Records to send down our own broadcast tree. */
  publish(records: GossipData): void;
  /** The data plane's view changed. */
  routes(snapshot: RoutesSnapshot): void;
  /** Others may know of peers that we do not. */
  improved(): void;
  /** Nothing leads to these peers any more. */
  removed(records: readonly PeerRecord[]): void;
  /** `from` sent a record that is not to be taken. */
  refused(from: PeerName, error: WeaveError): void;
}

/**
 * Our view of the cluster and our part in it (mesh-protocol §8): what changes here is announced,
 * what others announce is taken in, and routes follow both.
 *
 *   our links ──▶ OwnRecord ──▶ Announcer ──▶ neighbours
 *                     │
 *   updates ────▶   Peers   ──▶ Routes
 *                     └───────▶ Collector ──▶ removed
 */
export class Topology {
  readonly peers: Peers;
  readonly routes: Routes;
  readonly channel: TopologyChannel;
  readonly #world: World;
  readonly #own: OwnRecord;
  readonly #announcer: Announcer;
  readonly #collector: Collector;
  readonly #events: TopologyEvents;
  readonly #formerShortId: number | undefined;
  #publishedVersion = 0n;
  #shortIdWait: Cancel | undefined;

  /**
   * @param own our record as it begins, without a short id
   * @param formerShortId the one that an earlier process of ours had, where that is known
   */
  constructor(world: World, own: PeerRecord, events: TopologyEvents, formerShortId?: number) {
    this.#world = world;
    this.#events = events;
    this.#formerShortId = formerShortId;
    this.peers = new Peers(own);
    this.#own = new OwnRecord(this.peers, world.random);
    this.routes = new Routes(world, this.peers, (snapshot) => events.routes(snapshot));
    this.channel = new TopologyChannel(this.peers, (update, from) => this.#applied(update, from));
    this.#announcer = new Announcer(world, this.peers, (names) => {
      const records = this.channel.records(names);
      if (records !== undefined) events.tell(records);
    });
    this.#collector = new Collector(world, this.peers, (records) => this.#removed(records));
  }

  get own(): PeerRecord {
    return this.#own.record;
  }

  linkAdded(remote: PeerName, link: PeerLink): void {
    this.#own.addLink(remote, link);
    this.#collector.linkAdded(remote);
    this.#ownChanged(remote);
  }

  linkEstablished(remote: PeerName): void {
    this.#own.establish(remote);
    this.#ownChanged();
  }

  /** Our own record, to be sent as it is at that moment. */
  ownRecord(): GossipData | undefined {
    return this.channel.records(new Set([this.own.name]));
  }

  /** `silentMs`: for how long nothing had been heard of the machine at its other end. */
  linkRemoved(remote: PeerName, silentMs: number): void {
    this.#own.removeLink(remote);
    this.#ownChanged();
    this.#collector.linkLost(remote, silentMs);
  }

  /** Somebody who introduced itself was refused: maybe nothing leads to it. */
  linkRefused(): void {
    this.#collector.updated();
  }

  /**
   * Sends our record down our own tree, if it changed since: each peer on the way knows our links
   * by the time it has to pass on what we broadcast next.
   */
  publishOwn(): void {
    const { name, version } = this.own;
    if (version === this.#publishedVersion) return;
    this.#publishedVersion = version;
    const records = this.channel.records(new Set([name]));
    if (records !== undefined) this.#events.publish(records);
  }

  stop(): void {
    this.#shortIdWait?.();
    this.#announcer.stop();
    this.#collector.stop();
    this.routes.stop();
  }

  #applied(update: AppliedUpdate, from: PeerName): void {
    for (const text of update.refusals) {
      this.#events.refused(from, new WeaveError("RECORD_REFUSED", text));
    }
    const { formerSelf } = update;
    if (formerSelf !== undefined && this.#own.jumpPast(formerSelf)) this.#ownChanged();
    const former = formerSelf?.shortId ?? this.#formerShortId;
    if (this.own.shortId !== undefined || former !== undefined) {
      this.#settleShortId(former);
    } else {
      this.#shortIdWait ??= this.#world.after(firstShortIdWaitMs, () => this.#settleShortId());
    }
    if (!update.changed) return;
    this.routes.request();
    this.#collector.updated();
    this.#events.improved();
  }

  #settleShortId(preferred?: number): void {
    const isFirst = this.own.shortId === undefined;
    if (!this.#own.settleShortId(preferred)) return;
    this.#ownChanged();
    // Neighbours were told none in the introduction, and the fast datapath waits for it. Everybody
    // else hears it with the announcement: a broadcast of each newcomer would cost a large cluster
    // as many walks over the whole graph as it has pairs of peers.
    const own = isFirst ? this.ownRecord() : undefined;
    if (own !== undefined) this.#events.tellNeighbours(own);
  }

  #removed(records: readonly PeerRecord[]): void {
    this.routes.request();
    // An id may be free now that we had to do without.
    if (this.own.shortId !== undefined) this.#settleShortId();
    this.#events.removed(records);
  }

  /** Our record has a new version: everybody is to know, with what is news beside it. */
  #ownChanged(...besides: readonly PeerName[]): void {
    this.routes.request();
    this.#announcer.add(this.own.name, ...besides);
  }
}
