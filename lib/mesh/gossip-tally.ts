import type { DeliveredMessage } from "./connection.ts";
import { isChannelMessage, type OutgoingMessage } from "./protocol-message.ts";

/** Channels that are counted apart; what others say counts as {@link otherChannel}. */
export const talliedChannelsMax = 8;
export const otherChannel = "other";

/** Messages of one channel, and octets of their payloads. */
export interface ChannelTally {
  readonly channel: string;
  readonly sentMessages: number;
  readonly sentBytes: number;
  readonly receivedMessages: number;
  readonly receivedBytes: number;
}

type OpenTally = { -readonly [Name in keyof ChannelTally]: ChannelTally[Name] };

/** What is said between routers, by channel; heartbeats and what overlays say are none. */
export class GossipTally {
  readonly #channels = new Map<string, OpenTally>();

  sent(message: OutgoingMessage): void {
    if (!isChannelMessage(message)) return;
    const tally = this.#of(message.channel);
    tally.sentMessages++;
    tally.sentBytes += message.payload.length;
  }

  received(message: DeliveredMessage): void {
    if (!isChannelMessage(message)) return;
    const tally = this.#of(message.channel);
    tally.receivedMessages++;
    tally.receivedBytes += message.payload.length;
  }

  list(): ChannelTally[] {
    return [...this.#channels.values()].map((tally) => ({ ...tally }));
  }

  /** Whoever speaks chooses names of channels. */
  #of(said: string): OpenTally {
    const isNew = !this.#channels.has(said);
    const channel = isNew && this.#channels.size >= talliedChannelsMax ? otherChannel : said;
    const tally = this.#channels.get(channel) ?? {
      ...{ channel, sentMessages: 0, sentBytes: 0, receivedMessages: 0, receivedBytes: 0 },
    };
    this.#channels.set(channel, tally);
    return tally;
  }
}
