import type { PeerName } from "../base/peer-name.ts";
import type { World } from "../base/world.ts";
import { type Entry, identityOf, supersedes } from "./entry.ts";

/** Entries kept for peers that our topology does not know yet, all origins together. */
export const waitingEntriesMax = 4096;

/** Twice the period of gossip: whoever has not appeared by then is not about to. */
export const waitingMs = 60_000;

interface Arrivals {
  readonly entries: Map<string, Entry>;
  readonly untilMs: number;
}

/**
 * Names that arrived before the topology that says who their peer is. Originals drop them and learn
 * them half a minute later; we keep them until the peer appears or {@link waitingMs} have passed.
 */
export class WaitingEntries {
  readonly #world: Pick<World, "monotonicMs">;
  /** Oldest first. */
  readonly #byOrigin = new Map<PeerName, Arrivals>();
  #size = 0;

  constructor(world: Pick<World, "monotonicMs">) {
    this.#world = world;
  }

  get size(): number {
    return this.#size;
  }

  /** Keeps the later state of `entry`. False when there is no room. */
  keep(entry: Entry): boolean {
    this.#expire();
    const arrivals = this.#byOrigin.get(entry.origin) ?? {
      entries: new Map<string, Entry>(),
      untilMs: this.#world.monotonicMs() + waitingMs,
    };
    const identity = identityOf(entry);
    const other = arrivals.entries.get(identity);
    if (other === undefined) {
      if (this.#size >= waitingEntriesMax) return false;
      this.#size++;
    } else if (!supersedes(entry, other)) {
      return true;
    }
    arrivals.entries.set(identity, entry);
    this.#byOrigin.set(entry.origin, arrivals);
    return true;
  }

  /** What waits for `origin`, which is known now. */
  take(origin: PeerName): Entry[] {
    this.#expire();
    const arrivals = this.#byOrigin.get(origin);
    if (arrivals === undefined) return [];
    this.#drop(origin, arrivals);
    return [...arrivals.entries.values()];
  }

  #expire(): void {
    const now = this.#world.monotonicMs();
    for (const [origin, arrivals] of this.#byOrigin) {
      if (arrivals.untilMs > now) break;
      this.#drop(origin, arrivals);
    }
  }

  #drop(origin: PeerName, arrivals: Arrivals): void {
    this.#byOrigin.delete(origin);
    this.#size -= arrivals.entries.size;
  }
}
