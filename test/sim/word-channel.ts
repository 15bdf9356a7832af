import { fromUtf8, utf8 } from "../../lib/base/bytes.ts";
import { WeaveError } from "../../lib/base/errors.ts";
import type { Channel, GossipData, Gossiper } from "../../lib/base/gossip.ts";
import type { PeerName } from "../../lib/base/peer-name.ts";

/**
 * The simplest state that gossip can spread: a set of words, which only grows. It also keeps a
 * record of every delivery, to see what came how often.
 */
export class WordChannel implements Gossiper {
  readonly words = new Set<string>();
  /** `unicast|broadcast|gossip from text`, in order. */
  readonly deliveries: string[] = [];
  /** Set by the owner of the mesh after joining. */
  channel: Channel | undefined;

  onUnicast(from: PeerName, payload: Uint8Array): void {
    this.#take("unicast", from, payload);
  }

  onBroadcast(origin: PeerName, payload: Uint8Array): GossipData | undefined {
    const { all } = this.#take("broadcast", origin, payload);
    return new Words(all);
  }

  onGossip(from: PeerName, payload: Uint8Array): GossipData | undefined {
    const { news } = this.#take("gossip", from, payload);
    return news.size > 0 ? new Words(news) : undefined;
  }

  full(): GossipData | undefined {
    return this.words.size > 0 ? new Words(this.words) : undefined;
  }

  /** Adds words of our own and broadcasts them. */
  say(...words: readonly string[]): void {
    for (const word of words) this.words.add(word);
    this.channel?.broadcast(new Words(new Set(words)));
  }

  /** How often a delivery of this kind with this text happened. */
  count(kind: "unicast" | "broadcast" | "gossip", text: string): number {
    return this.deliveries.filter((line) => line.startsWith(kind) && line.endsWith(` ${text}`))
      .length;
  }

  #take(kind: string, from: PeerName, payload: Uint8Array) {
    const text = fromUtf8(payload);
    this.deliveries.push(`${kind} ${from} ${text}`);
    if (text === "refuse me") throw new WeaveError("WORDS_REFUSED", "such words are not welcome");
    const all = new Set(text.split(","));
    const news = new Set([...all].filter((word) => !this.words.has(word)));
    for (const word of news) this.words.add(word);
    return { all, news };
  }
}

class Words implements GossipData {
  readonly #words: ReadonlySet<string>;

  constructor(words: ReadonlySet<string>) {
    this.#words = words;
  }

  encode(): Uint8Array[] {
    return [utf8([...this.#words].sort().join(","))];
  }

  merge(newer: GossipData): GossipData {
    return newer instanceof Words ? new Words(new Set([...this.#words, ...newer.#words])) : newer;
  }
}
