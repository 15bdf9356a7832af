import { GrowingWindow } from "../base/growing-window.ts";
import type { PeerName } from "../base/peer-name.ts";
import type { World } from "../base/world.ts";

/**
 * A neighbour with news is asked at once when it is the first for this long, about the time that an
 * answer takes. Several that have news at the same time mostly have the same: once the first has
 * answered, there is little left to ask the others. As long as there is news, each window is twice as
 * long as the one before: one answer then brings what many would have brought.
 */
export const inquiryWindowMs = 50;
export const inquiryWindowMaxMs = 400;

/**
 * Asks neighbours what we lack on one channel.
 *
 *   idle ──digest: asked──▶ window ──digest: waits, the latest of each neighbour──▶ window
 *    ▲──nobody has news──────┘ ▲──window over: the first who still has news is asked──┘ then twice
 *                                                                                        as long
 */
export class Inquiries {
  readonly #ask: (from: PeerName, digest: Uint8Array) => boolean;
  readonly #waiting = new Map<PeerName, Uint8Array>();
  readonly #window: GrowingWindow;

  /** `ask` asks a neighbour if its digest is news, and says whether it was. */
  constructor(world: Pick<World, "after">, ask: (from: PeerName, digest: Uint8Array) => boolean) {
    this.#ask = ask;
    const bounds = { firstMs: inquiryWindowMs, longestMs: inquiryWindowMaxMs };
    this.#window = new GrowingWindow(world, bounds, () => this.#askFirst());
  }

  /** The digest of a neighbour's state. */
  heard(from: PeerName, digest: Uint8Array): void {
    if (this.#window.isOpen) this.#waiting.set(from, digest);
    else if (this.#ask(from, digest)) this.#window.open();
  }

  stop(): void {
    this.#window.stop();
    this.#waiting.clear();
  }

  /** Asks the first of those that wait who still has news. */
  #askFirst(): boolean {
    for (const [peer, digest] of this.#waiting) {
      this.#waiting.delete(peer);
      if (this.#ask(peer, digest)) return true;
    }
    return false;
  }
}
