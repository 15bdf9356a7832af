import { emptyBytes } from "../base/bytes.ts";
import { errorCode, errorText, WeaveError } from "../base/errors.ts";
import type { Channel, GossipData, Gossiper } from "../base/gossip.ts";
import { formatPeerName, type PeerName } from "../base/peer-name.ts";
import type { World } from "../base/world.ts";
import type { GossipSender } from "./gossip-sender.ts";
import { Inquiries } from "./inquiries.ts";
import { NewsRelay } from "./news-relay.ts";
import {
  type BroadcastMessage,
  channelNameMaxLength,
  type DigestMessage,
  type GossipMessage,
  type InquiryMessage,
  type UnicastMessage,
} from "./protocol-message.ts";
import { randomNeighbours } from "./random-neighbours.ts";
import { RecentPayloads } from "./recent-payloads.ts";
import type { Routes } from "./routes.ts";
import { Surrogate } from "./surrogate.ts";

/** Channels without an owner here; beyond, the one that was silent longest is forgotten. */
export const surrogatesMax = 64;
/** A channel without an owner is forgotten after this long without a message. */
export const surrogateLifetimeMs = 10 * 60_000;
/** A broadcast that comes back within this time over another link went round in a circle. */
const broadcastMemory = { lifetimeMs: 10_000, entriesMax: 1024 };
/** The same over the same link: longer than most rounds take, shorter than anybody waits to repeat. */
export const circleMaxMs = 500;

/** All that is moved here. */
type ReceivedMessage =
  | GossipMessage
  | UnicastMessage
  | BroadcastMessage
  | DigestMessage
  | InquiryMessage;

/** A peer at the other end of a connection. */
export interface GossipNeighbour {
  readonly name: PeerName;
  readonly sender: GossipSender;
}

export interface GossipRouterPorts {
  readonly self: PeerName;
  readonly routes: Routes;
  neighbour(name: PeerName): GossipNeighbour | undefined;
  /** Before a broadcast of our own, which others relay only if they know our links. */
  beforeBroadcast(): void;
  /** An owner refused a payload. `origin` sent it; the neighbour that relayed it is innocent. */
  refused(channel: string, origin: PeerName, error: WeaveError): void;
}

interface OpenChannel {
  readonly owner: Gossiper;
  /** Missing for a surrogate, whose payloads cannot be merged. */
  readonly relay: NewsRelay | undefined;
  /** Missing for a channel whose owner compares nothing. */
  readonly inquiries: Inquiries | undefined;
  /** Monotonic; `undefined` for a channel that has an owner here and stays. */
  usedAtMs: number | undefined;
}

/**
 * Moves payloads between neighbours and the owners of channels (mesh-protocol §10).
 *
 *   gossip     from a neighbour ──▶ owner ──what was new──▶ random neighbours
 *   broadcast  from an origin   ──▶ owner ──what to relay──▶ down the origin's tree
 *   unicast    from an origin   ──▶ next hop …, at last the owner
 *   digest, inquiry    between neighbours that can, instead of state that both have
 *
 * The mesh reads no payload, and owners know no connections. Nothing is ever sent back to where it
 * came from, and our own broadcasts are not taken in again.
 */
export class GossipRouter {
  readonly #world: World;
  readonly #ports: GossipRouterPorts;
  readonly #channels = new Map<string, OpenChannel>();
  readonly #broadcasts: RecentPayloads<{ readonly from: PeerName; lastMs: number }>;

  constructor(world: World, ports: GossipRouterPorts) {
    this.#world = world;
    this.#ports = ports;
    this.#broadcasts = new RecentPayloads(world, broadcastMemory);
  }

  /** Makes `owner` the owner of `name`, also when the channel was known without one. */
  join(name: string, owner: Gossiper): Channel {
    const relay = new NewsRelay(this.#world, (news, except) => this.gossip(name, news, except));
    const inquiries = this.#inquiries(name, owner);
    this.#channels.set(name, { owner, relay, inquiries, usedAtMs: undefined });
    return {
      unicast: (to, payload) => this.#unicast(name, to, payload),
      broadcast: (data) => {
        this.#ports.beforeBroadcast();
        this.broadcast(name, data);
      },
    };
  }

  /** Names of all channels; those without an owner here are surrogates. */
  channels(): Array<{ readonly name: string; readonly surrogate: boolean }> {
    return [...this.#channels].map(([name, { usedAtMs }]) => ({
      name,
      surrogate: usedAtMs !== undefined,
    }));
  }

  receive(message: ReceivedMessage, from: PeerName): void {
    if (message.channel.length > channelNameMaxLength) {
      const origin = message.kind === "gossip" ? from : (originOf(message) ?? from);
      const name = message.channel.slice(0, channelNameMaxLength);
      this.#ports.refused(name, origin, new WeaveError("CHANNEL_NAME", "channel name too long"));
    } else if (message.kind === "gossip") {
      this.#receiveGossip(message, from);
    } else if (message.kind === "broadcast") {
      this.#receiveBroadcast(message, from);
    } else if (message.kind === "digest") {
      this.#receiveDigest(message, from);
    } else if (message.kind === "inquiry") {
      this.#receiveInquiry(message, from);
    } else {
      this.#receiveUnicast(message, from);
    }
  }

  /** Sends `data` to random neighbours except `except`. */
  gossip(channel: string, data: GossipData, except: ReadonlySet<PeerName> = new Set()): void {
    const owner = this.#channels.get(channel)?.owner;
    for (const hop of this.#someNeighbours(except)) {
      this.#ports.neighbour(hop)?.sender.news(channel, data, owner);
    }
  }

  /** Sends `data` to one neighbour alone. */
  tell(to: GossipNeighbour, channel: string, data: GossipData): void {
    to.sender.gossip(channel, data);
  }

  /** Sends `data` down our own tree. */
  broadcast(channel: string, data: GossipData): void {
    this.#broadcast(channel, this.#ports.self, data, undefined);
  }

  /** A new neighbour hears all we know, of each channel that has something to say. */
  sendState(to: GossipNeighbour): void {
    for (const [name, { owner }] of this.#channels) to.sender.state(name, owner);
  }

  /** The periodic round: all state of all channels, and forgetting of unused ones. */
  gossipState(): void {
    for (const [name, { owner, usedAtMs }] of this.#channels) {
      if (usedAtMs !== undefined && this.#world.monotonicMs() - usedAtMs >= surrogateLifetimeMs) {
        this.#channels.delete(name);
      }
      for (const hop of this.#someNeighbours())
        this.#ports.neighbour(hop)?.sender.state(name, owner);
    }
  }

  stop(): void {
    for (const { relay, inquiries } of this.#channels.values()) {
      relay?.stop();
      inquiries?.stop();
    }
  }

  #receiveGossip({ channel, sender, payload }: GossipMessage, from: PeerName): void {
    const { owner, relay } = this.#channel(channel);
    // The name in the message says who sent it, too, but it is the connection that is believed:
    // nobody's word is held against another neighbour.
    const news = this.#ask(channel, from, () => owner.onGossip(from, payload));
    if (news === undefined) return;
    const tellers = new Set([sender, from]);
    if (relay === undefined) this.gossip(channel, news, tellers);
    else relay.relay(news, tellers);
  }

  #receiveBroadcast({ channel, origin, payload }: BroadcastMessage, from: PeerName): void {
    if (origin === this.#ports.self) return;
    if (this.#hasGoneRound(`${origin} ${channel}`, payload, from)) return;
    const { owner } = this.#channel(channel);
    const news = this.#ask(channel, origin, () => owner.onBroadcast(origin, payload));
    if (news !== undefined) this.#broadcast(channel, origin, news, from);
  }

  /**
   * Trees do not fit together while routes change, and a broadcast then goes round a circle: it comes
   * by another link than before, or once more by the same. The same again after a while is meant.
   */
  #hasGoneRound(key: string, payload: Uint8Array, from: PeerName): boolean {
    const lastMs = this.#world.monotonicMs();
    const seen = this.#broadcasts.sight(key, payload, { from, lastMs });
    if (seen === undefined) return false;
    if (seen.from !== from || lastMs - seen.lastMs < circleMaxMs) return true;
    seen.lastMs = lastMs;
    return false;
  }

  /**
   * A neighbour's state may be news. A channel without an owner here has others behind us: they are
   * to hear all of it from us.
   */
  #receiveDigest({ channel, payload }: DigestMessage, from: PeerName): void {
    const inquiries = this.#channels.get(channel)?.inquiries;
    if (inquiries === undefined) this.#ports.neighbour(from)?.sender.inquire(channel, emptyBytes);
    else inquiries.heard(from, payload);
  }

  /** Asks what the owner of a channel wants to know of neighbours who have news. */
  #inquiries(channel: string, { comparison }: Gossiper): Inquiries | undefined {
    if (comparison === undefined) return undefined;
    return new Inquiries(this.#world, (from, digest) => {
      const inquiry = this.#ask(channel, from, () => comparison.inquire(from, digest));
      if (inquiry === undefined) return false;
      // While the digest waited, the neighbour may have gone, or come back as one that does not compare.
      return this.#ports.neighbour(from)?.sender.inquire(channel, inquiry) ?? false;
    });
  }

  /** A neighbour lacks something of what we have. */
  #receiveInquiry({ channel, payload }: InquiryMessage, from: PeerName): void {
    const comparison = this.#channels.get(channel)?.owner.comparison;
    if (comparison === undefined) return;
    const missing = this.#ask(channel, from, () => comparison.answer(payload));
    if (missing !== undefined) this.#ports.neighbour(from)?.sender.gossip(channel, missing);
  }

  #receiveUnicast(message: UnicastMessage, from: PeerName): void {
    const { channel, origin, destination, payload } = message;
    if (destination === this.#ports.self) {
      const { owner } = this.#channel(channel);
      this.#ask(channel, origin, () => owner.onUnicast(origin, payload));
      return;
    }
    const hop = this.#ports.routes.claimed.unicast.get(destination);
    const next = hop === undefined || hop === from ? undefined : this.#ports.neighbour(hop);
    if (next === undefined) {
      const to = formatPeerName(destination);
      this.#world.log.debug(`[gossip ${channel}]: no route to relay to ${to}`);
      return;
    }
    if (next.sender.relay(message)) return;
    this.#world.log.debug(`[gossip ${channel}]: no room to relay to ${formatPeerName(hop!)}`);
  }

  #unicast(channel: string, destination: PeerName, payload: Uint8Array): boolean {
    const hop = this.#ports.routes.claimed.unicast.get(destination);
    const next = hop === undefined ? undefined : this.#ports.neighbour(hop);
    const origin = this.#ports.self;
    return next?.sender.direct({ kind: "unicast", channel, origin, destination, payload }) ?? false;
  }

  #broadcast(
    channel: string,
    origin: PeerName,
    data: GossipData,
    from: PeerName | undefined,
  ): void {
    for (const hop of this.#ports.routes.claimed.broadcast(origin)) {
      if (hop !== from) this.#ports.neighbour(hop)?.sender.broadcast(channel, origin, data);
    }
  }

  #someNeighbours(except: ReadonlySet<PeerName> = new Set()): PeerName[] {
    return randomNeighbours(this.#ports.routes.claimed.unicast, except, this.#world.random);
  }

  #channel(name: string): OpenChannel {
    const known = this.#channels.get(name);
    if (known !== undefined) {
      if (known.usedAtMs !== undefined) known.usedAtMs = this.#world.monotonicMs();
      return known;
    }
    this.#makeRoom();
    const usedAtMs = this.#world.monotonicMs();
    const owner = new Surrogate(this.#world);
    const made = { owner, relay: undefined, inquiries: undefined, usedAtMs };
    this.#channels.set(name, made);
    this.#world.log.info(`[gossip ${name}]: created surrogate channel`);
    return made;
  }

  #makeRoom(): void {
    const surrogates = [...this.#channels].filter(([, { usedAtMs }]) => usedAtMs !== undefined);
    if (surrogates.length < surrogatesMax) return;
    surrogates.sort(([, a], [, b]) => a.usedAtMs! - b.usedAtMs!);
    this.#channels.delete(surrogates[0]![0]);
  }

  /** Asks an owner; a payload that it refuses is dropped and laid to its origin. */
  #ask<T>(channel: string, origin: PeerName, ask: () => T): T | undefined {
    try {
      return ask();
    } catch (thrown) {
      const error =
        thrown instanceof WeaveError
          ? thrown
          : new WeaveError(errorCode(thrown), errorText(thrown), { cause: thrown });
      this.#ports.refused(channel, origin, error);
      return undefined;
    }
  }
}

/** Who a message says it is from; comparisons do not say. */
export function originOf(message: ReceivedMessage): PeerName | undefined {
  if (message.kind === "gossip") return message.sender;
  return message.kind === "unicast" || message.kind === "broadcast" ? message.origin : undefined;
}
