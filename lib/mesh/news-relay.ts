import type { GossipData } from "../base/gossip.ts";
import { GrowingWindow } from "../base/growing-window.ts";
import type { PeerName } from "../base/peer-name.ts";
import type { World } from "../base/world.ts";

/**
 * News is passed on at once when it is the first for this long, and what comes meanwhile is passed
 * on together. Most news reaches a large cluster in bursts, by many ways at the same time: as long
 * as there is more, each window is twice as long as the one before.
 */
export const relayWindowMs = 50;
export const relayWindowMaxMs = 800;

/**
 * Passes on what was new on one channel.
 *
 *   idle ──news: passed on──▶ window ──news: merged──▶ window with news
 *    ▲──────window over─────────┘ ▲──window over: passed on──┘ then twice as long
 */
export class NewsRelay {
  readonly #pass: (news: GossipData, except: ReadonlySet<PeerName>) => void;
  readonly #window: GrowingWindow;
  #merged: { readonly news: GossipData; readonly except: ReadonlySet<PeerName> } | undefined;

  /** `pass` sends to random neighbours except some. */
  constructor(
    world: Pick<World, "after">,
    pass: (news: GossipData, except: ReadonlySet<PeerName>) => void,
  ) {
    this.#pass = pass;
    const bounds = { firstMs: relayWindowMs, longestMs: relayWindowMaxMs };
    this.#window = new GrowingWindow(world, bounds, () => this.#passMerged());
  }

  /** `from`: who knows it already, since it told us. */
  relay(news: GossipData, from: ReadonlySet<PeerName>): void {
    if (!this.#window.isOpen) {
      this.#window.open();
      this.#pass(news, from);
    } else if (this.#merged === undefined) {
      this.#merged = { news, except: from };
    } else {
      // Nobody knows all of it but who told all of it.
      const except = this.#merged.except.intersection(from);
      this.#merged = { news: this.#merged.news.merge(news), except };
    }
  }

  stop(): void {
    this.#window.stop();
    this.#merged = undefined;
  }

  #passMerged(): boolean {
    const merged = this.#merged;
    this.#merged = undefined;
    if (merged !== undefined) this.#pass(merged.news, merged.except);
    return merged !== undefined;
  }
}
