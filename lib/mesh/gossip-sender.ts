import type { GossipData, Gossiper } from "../base/gossip.ts";
import type { PeerName } from "../base/peer-name.ts";
import type { OutgoingMessage } from "./protocol-message.ts";

/** Nothing more is encoded while this much waits for the kernel. */
const backlogLowBytes = 64 << 10;

/**
 * No unicasts of others are passed on while this much waits: a connection may end over a larger backlog,
 * and whoever is behind it is not to blame for what others say.
 */
export const relayBacklogMaxBytes = 16 << 20;

/**
 * Octets of others that wait for one neighbour and are not just looked up when they are sent; what is
 * beyond is dropped. Whatever has an owner is told again with the next round.
 */
export const heldOctetsMax = 16 << 20;

/** What a sender needs of a connection. */
export interface GossipLink {
  readonly backlogBytes: number;
  /** False when the connection is closed. */
  send(message: OutgoingMessage): boolean;
}

/** What waits on one channel: everything said since, merged. */
interface Waiting {
  gossip: GossipData | undefined;
  /** Whose state is to be compared with the neighbour's. */
  compared: Gossiper | undefined;
  /** The latest question; an earlier one that it replaced is asked again by a later digest. */
  inquiry: Uint8Array | undefined;
  /** By origin, of which there are no more than known peers. */
  readonly broadcasts: Map<PeerName, GossipData>;
}

/**
 * Gossip on its way to one neighbour (mesh-protocol §10).
 *
 *   channel ──▶ one gossip, digest, inquiry, and one broadcast per origin ──▶ connection, while its
 *                └── later data is merged into these ──┘                      backlog is low
 *
 * Merging replaces queueing, and payloads are encoded when their turn comes: a slow connection
 * carries the latest state and never a history. Channels take turns; within one, gossip goes first.
 */
export class GossipSender {
  readonly #link: GossipLink;
  readonly #self: PeerName;
  readonly #comparing: { now(): number } | undefined;
  readonly #waiting = new Map<string, Waiting>();
  /** The rest of data that took several messages. */
  #encoded: OutgoingMessage[] = [];
  #pumping = false;

  /** `comparing`: the wall clock, for digests; missing for a neighbour that does not understand them. */
  constructor(link: GossipLink, self: PeerName, comparing?: { now(): number }) {
    this.#link = link;
    this.#self = self;
    this.#comparing = comparing;
  }

  /** Sees to it that the neighbour has all that `owner` has: by a digest, or by saying it. */
  state(channel: string, owner: Gossiper): void {
    if (this.#compare(channel, owner)) return;
    const state = owner.full();
    if (state !== undefined) this.gossip(channel, state);
  }

  /**
   * Passes on `data`. When it is bulky a neighbour that compares is told that there is news, since
   * it hears much of it from others as well.
   */
  news(channel: string, data: GossipData, owner: Gossiper | undefined): void {
    if (data.isBulky === true && owner !== undefined && this.#compare(channel, owner)) return;
    this.gossip(channel, data);
  }

  /** Has the neighbour compare states; false where it or the owner of the channel cannot. */
  #compare(channel: string, owner: Gossiper): boolean {
    if (this.#comparing === undefined || owner.comparison === undefined) return false;
    this.#waitingOn(channel).compared = owner;
    this.pump();
    return true;
  }

  /** Asks what we lack; false where the neighbour does not compare, as it may have done before. */
  inquire(channel: string, inquiry: Uint8Array): boolean {
    if (this.#comparing === undefined) return false;
    this.#waitingOn(channel).inquiry = inquiry;
    this.pump();
    return true;
  }

  gossip(channel: string, data: GossipData): void {
    const waiting = this.#waitingOn(channel);
    waiting.gossip = waiting.gossip?.merge(data) ?? data;
    this.pump();
    if (data.heldOctets !== undefined) this.#dropHeld();
  }

  broadcast(channel: string, origin: PeerName, data: GossipData): void {
    const { broadcasts } = this.#waitingOn(channel);
    broadcasts.set(origin, broadcasts.get(origin)?.merge(data) ?? data);
    this.pump();
    if (data.heldOctets !== undefined) this.#dropHeld();
  }

  /** Sends at once, ahead of what waits; for unicasts, which cannot be merged. */
  direct(message: OutgoingMessage): boolean {
    return this.#link.send(message);
  }

  /** Passes on a unicast of somebody else's; false when it was dropped. */
  relay(message: OutgoingMessage): boolean {
    return this.#link.backlogBytes < relayBacklogMaxBytes && this.direct(message);
  }

  /** Sends while the connection takes it. The owner calls this when the connection drained. */
  pump(): void {
    // Encoding may lead back here; the outer call goes on with what came.
    if (this.#pumping) return;
    this.#pumping = true;
    try {
      while (this.#link.backlogBytes < backlogLowBytes) {
        const message = this.#next();
        if (message === undefined || !this.#link.send(message)) return;
      }
    } finally {
      this.#pumping = false;
    }
  }

  #waitingOn(channel: string): Waiting {
    const known = this.#waiting.get(channel);
    if (known !== undefined) return known;
    const broadcasts = new Map();
    const waiting = { gossip: undefined, compared: undefined, inquiry: undefined, broadcasts };
    this.#waiting.set(channel, waiting);
    return waiting;
  }

  /** Whose turn is next loses first, until the rest is within {@link heldOctetsMax}. */
  #dropHeld(): void {
    let octets = 0;
    for (const waiting of this.#waiting.values()) octets += heldBy(waiting);
    for (const [channel, waiting] of this.#waiting) {
      if (octets <= heldOctetsMax) return;
      octets -= dropHeldOf(waiting, octets - heldOctetsMax);
      if (isEmpty(waiting)) this.#waiting.delete(channel);
    }
  }

  #next(): OutgoingMessage | undefined {
    while (this.#encoded.length === 0) {
      const [turn] = this.#waiting;
      if (turn === undefined) return undefined;
      this.#encoded = this.#encodeOne(...turn);
    }
    return this.#encoded.shift();
  }

  #encodeOne(channel: string, waiting: Waiting): OutgoingMessage[] {
    const messages = this.#takeOne(channel, waiting);
    // To the end of the line, or out of it with the last one.
    this.#waiting.delete(channel);
    if (!isEmpty(waiting)) this.#waiting.set(channel, waiting);
    return messages;
  }

  #takeOne(channel: string, waiting: Waiting): OutgoingMessage[] {
    const { gossip, compared, inquiry: payload, broadcasts } = waiting;
    if (gossip !== undefined) {
      waiting.gossip = undefined;
      return this.#gossipMessages(channel, gossip);
    }
    if (compared !== undefined) {
      waiting.compared = undefined;
      const digest = compared.comparison?.digest();
      if (digest !== undefined) {
        const unixMs = Math.floor(this.#comparing?.now() ?? 0);
        return [{ kind: "digest", channel, payload: digest, unixMs }];
      }
      return this.#gossipMessages(channel, compared.full());
    }
    if (payload !== undefined) {
      waiting.inquiry = undefined;
      return [{ kind: "inquiry", channel, payload }];
    }
    const [broadcast] = broadcasts;
    if (broadcast === undefined) return [];
    const [origin, data] = broadcast;
    broadcasts.delete(origin);
    return data.encode().map((each) => ({ kind: "broadcast", channel, origin, payload: each }));
  }

  #gossipMessages(channel: string, data: GossipData | undefined): OutgoingMessage[] {
    const sender = this.#self;
    const payloads = data?.encode() ?? [];
    return payloads.map((payload) => ({ kind: "gossip", channel, sender, payload }));
  }
}

function heldBy({ gossip, broadcasts }: Waiting): number {
  let octets = gossip?.heldOctets ?? 0;
  for (const data of broadcasts.values()) octets += data.heldOctets ?? 0;
  return octets;
}

/** Drops as much as frees `octets`, if there is so much; returns how many it did. */
function dropHeldOf(waiting: Waiting, octets: number): number {
  let dropped = waiting.gossip?.heldOctets ?? 0;
  if (dropped > 0) waiting.gossip = undefined;
  for (const [origin, { heldOctets = 0 }] of waiting.broadcasts) {
    if (dropped >= octets) break;
    dropped += heldOctets;
    if (heldOctets > 0) waiting.broadcasts.delete(origin);
  }
  return dropped;
}

function isEmpty({ gossip, compared, inquiry, broadcasts }: Waiting): boolean {
  return (gossip ?? compared ?? inquiry) === undefined && broadcasts.size === 0;
}
