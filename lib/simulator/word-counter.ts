import { fromUtf8, utf8 } from "../base/bytes.ts";
import type { Channel, GossipData, Gossiper } from "../base/gossip.ts";

/** A channel on which words are broadcast and deliveries counted: each must come exactly once. */
export class WordCounter implements Gossiper {
  channel: Channel | undefined;
  readonly #deliveries = new Map<string, number>();

  /** How often `word` was delivered here. */
  count(word: string): number {
    return this.#deliveries.get(word) ?? 0;
  }

  say(word: string): void {
    this.channel?.broadcast(new Word(word));
  }

  onUnicast(): void {}

  onBroadcast(_origin: unknown, payload: Uint8Array): GossipData {
    const word = fromUtf8(payload);
    this.#deliveries.set(word, this.count(word) + 1);
    return new Word(word);
  }

  onGossip(): undefined {}

  full(): undefined {}
}

/** Words are told on a quiet network, one at a time, so that none has to wait for another. */
class Word implements GossipData {
  readonly #text: string;

  constructor(text: string) {
    this.#text = text;
  }

  encode(): Uint8Array[] {
    return [utf8(this.#text)];
  }

  merge(newer: GossipData): GossipData {
    return newer;
  }
}
