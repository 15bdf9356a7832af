import type { PeerName } from "../base/peer-name.ts";
import type { Cancel, World } from "../base/world.ts";

/**
 * Changes of records within this time are told together: so long for each peer of the cluster and each
 * that hears of it, and no longer than peers of the original wait. As long as others go by former
 * links, what is broadcast comes twice or not at all; but when a large cluster starts, everybody has
 * news all the time, and told one by one these would cost more than the start itself.
 */
export const announcementDelayPerPairMs = 2;
export const announcementDelayMaxMs = 1_000;

/** Collects peers whose records are to be told to others; the first one starts the wait. */
export class Announcer {
  readonly #world: Pick<World, "after">;
  readonly #peers: { readonly size: number };
  readonly #announce: (names: ReadonlySet<PeerName>) => void;
  #names = new Set<PeerName>();
  #cancel: Cancel | undefined;

  /** @param peers everybody in the cluster, as far as we know */
  constructor(
    world: Pick<World, "after">,
    peers: { readonly size: number },
    announce: (names: ReadonlySet<PeerName>) => void,
  ) {
    this.#world = world;
    this.#peers = peers;
    this.#announce = announce;
  }

  add(...names: readonly PeerName[]): void {
    for (const name of names) this.#names.add(name);
    this.#cancel ??= this.#world.after(this.#delayMs(), () => {
      const due = this.#names;
      this.stop();
      this.#announce(due);
    });
  }

  #delayMs(): number {
    return Math.min(announcementDelayPerPairMs * this.#peers.size ** 2, announcementDelayMaxMs);
  }

  stop(): void {
    this.#cancel?.();
    this.#cancel = undefined;
    this.#names = new Set();
  }
}
