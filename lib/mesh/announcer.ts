import type { PeerName } from "../base/peer-name.ts";
import type { Cancel, World } from "../base/world.ts";

/**
 * Changes of records within this time are told together: so long for each peer of the cluster, since
 * everybody has to hear of what each of them tells, and no longer than peers of the original wait. As
 * long as others go by former links, what is broadcast comes twice or not at all.
 */
export const announcementDelayPerPeerMs = 20;
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
    return Math.min(announcementDelayPerPeerMs * this.#peers.size, announcementDelayMaxMs);
  }

  stop(): void {
    this.#cancel?.();
    this.#cancel = undefined;
    this.#names = new Set();
  }
}
