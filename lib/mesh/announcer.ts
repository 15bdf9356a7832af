import type { PeerName } from "../base/peer-name.ts";
import type { Cancel, World } from "../base/world.ts";

/** Changes of records within this time are told together. */
export const announcementDelayMs = 1_000;

/** Collects peers whose records are to be told to others; the first one starts the wait. */
export class Announcer {
  readonly #world: Pick<World, "after">;
  readonly #announce: (names: ReadonlySet<PeerName>) => void;
  #names = new Set<PeerName>();
  #cancel: Cancel | undefined;

  constructor(world: Pick<World, "after">, announce: (names: ReadonlySet<PeerName>) => void) {
    this.#world = world;
    this.#announce = announce;
  }

  add(...names: readonly PeerName[]): void {
    for (const name of names) this.#names.add(name);
    this.#cancel ??= this.#world.after(announcementDelayMs, () => {
      const due = this.#names;
      this.stop();
      this.#announce(due);
    });
  }

  stop(): void {
    this.#cancel?.();
    this.#cancel = undefined;
    this.#names = new Set();
  }
}
