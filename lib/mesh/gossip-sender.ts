import type { GossipData } from "../base/gossip.ts";
import type { PeerName } from "../base/peer-name.ts";
import type { OutgoingMessage } from "./protocol-message.ts";

/** Nothing more is encoded while this much waits for the kernel. */
const backlogLowBytes = 64 << 10;

/** What a sender needs of a connection. */
export interface GossipLink {
  readonly backlogBytes: number;
  /** False when the connection is closed. */
  send(message: OutgoingMessage): boolean;
}

/** What waits on one channel: everything said since, merged. */
interface Waiting {
  gossip: GossipData | undefined;
  /** By origin, of which there are no more than known peers. */
  readonly broadcasts: Map<PeerName, GossipData>;
}

/**
 * Gossip on its way to one neighbour (mesh-protocol §10).
 *
 *   channel ──▶ one gossip, and one broadcast per origin ──▶ connection, while its backlog is low
 *                └── later data is merged into these ──┘
 *
 * Merging replaces queueing, and payloads are encoded when their turn comes: a slow connection
 * carries the latest state and never a history. Channels take turns; within one, gossip goes first.
 */
export class GossipSender {
  readonly #link: GossipLink;
  readonly #self: PeerName;
  readonly #waiting = new Map<string, Waiting>();
  /** The rest of data that took several messages. */
  #encoded: OutgoingMessage[] = [];
  #pumping = false;

  constructor(link: GossipLink, self: PeerName) {
    this.#link = link;
    this.#self = self;
  }

  gossip(channel: string, data: GossipData): void {
    const waiting = this.#waitingOn(channel);
    waiting.gossip = waiting.gossip?.merge(data) ?? data;
    this.pump();
  }

  broadcast(channel: string, origin: PeerName, data: GossipData): void {
    const { broadcasts } = this.#waitingOn(channel);
    broadcasts.set(origin, broadcasts.get(origin)?.merge(data) ?? data);
    this.pump();
  }

  /** Sends at once, ahead of what waits; for unicasts, which cannot be merged. */
  direct(message: OutgoingMessage): boolean {
    return this.#link.send(message);
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
    const waiting = this.#waiting.get(channel) ?? { gossip: undefined, broadcasts: new Map() };
    this.#waiting.set(channel, waiting);
    return waiting;
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
    const { gossip } = waiting;
    const [broadcast] = waiting.broadcasts;
    // To the end of the line, or out of it with the last one.
    this.#waiting.delete(channel);
    if (gossip !== undefined) {
      waiting.gossip = undefined;
      if (broadcast !== undefined) this.#waiting.set(channel, waiting);
      const sender = this.#self;
      return gossip.encode().map((payload) => ({ kind: "gossip", channel, sender, payload }));
    }
    if (broadcast === undefined) return [];
    const [origin, data] = broadcast;
    waiting.broadcasts.delete(origin);
    if (waiting.broadcasts.size > 0) this.#waiting.set(channel, waiting);
    return data.encode().map((payload) => ({ kind: "broadcast", channel, origin, payload }));
  }
}
