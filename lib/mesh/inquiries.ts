import type { PeerName } from "../base/peer-name.ts";
import type { Cancel, World } from "../base/world.ts";

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
  readonly #world: Pick<World, "after">;
  readonly #ask: (from: PeerName, digest: Uint8Array) => boolean;
  readonly #waiting = new Map<PeerName, Uint8Array>();
  #window: Cancel | undefined;

  /** `ask` asks a neighbour if its digest is news, and says whether it was. */
  constructor(world: Pick<World, "after">, ask: (from: PeerName, digest: Uint8Array) => boolean) {
    this.#world = world;
    this.#ask = ask;
  }

  /** The digest of a neighbour's state. */
  heard(from: PeerName, digest: Uint8Array): void {
    if (this.#window !== undefined) this.#waiting.set(from, digest);
    else if (this.#ask(from, digest)) this.#open(inquiryWindowMs);
  }

  stop(): void {
    this.#window?.();
    this.#window = undefined;
    this.#waiting.clear();
  }

  #open(durationMs: number): void {
    this.#window = this.#world.after(durationMs, () => {
      this.#window = undefined;
      for (const [peer, digest] of this.#waiting) {
        this.#waiting.delete(peer);
        if (!this.#ask(peer, digest)) continue;
        this.#open(Math.min(2 * durationMs, inquiryWindowMaxMs));
        return;
      }
    });
  }
}
