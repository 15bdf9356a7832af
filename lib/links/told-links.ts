import type { PeerName } from "../base/peer-name.ts";
import type { World } from "../base/world.ts";
import { tellPeriodMs } from "./audience.ts";
import type { LinkSummary } from "./link-view.ts";

/** What a peer has told that misses so many periods is not shown any more. */
const periodsMax = 3;

/** For what is under way, and for peers that are busy. */
const patienceMs = 5000;

/** What a peer told last. */
export interface ToldSummary extends LinkSummary {
  readonly peer: PeerName;
  /** When it came, in milliseconds since 1970. */
  readonly atMs: number;
}

interface Kept {
  readonly told: ToldSummary;
  /** Monotonic. */
  readonly heardMs: number;
}

/** The latest summary of each peer, for as long as it is of any use. */
export class ToldLinks {
  readonly #world: Pick<World, "now" | "monotonicMs">;
  readonly #peers: () => number;
  readonly #kept = new Map<PeerName, Kept>();

  /** @param peers how many the cluster has, by which it takes longer until they tell again */
  constructor(world: Pick<World, "now" | "monotonicMs">, peers: () => number) {
    this.#world = world;
    this.#peers = peers;
  }

  take(peer: PeerName, summary: LinkSummary): void {
    const told = { ...summary, peer, atMs: Math.round(this.#world.now()) };
    this.#kept.set(peer, { told, heardMs: this.#world.monotonicMs() });
  }

  forget(peer: PeerName): void {
    this.#kept.delete(peer);
  }

  /** Whether the peer has told something since then; monotonic. */
  hasTold(peer: PeerName, sinceMs: number): boolean {
    const kept = this.#kept.get(peer);
    return kept !== undefined && kept.heardMs >= sinceMs;
  }

  all(): ToldSummary[] {
    const oldestMs =
      this.#world.monotonicMs() - periodsMax * tellPeriodMs(this.#peers()) - patienceMs;
    for (const [peer, { heardMs }] of this.#kept) if (heardMs < oldestMs) this.#kept.delete(peer);
    return [...this.#kept.values()].map(({ told }) => told);
  }
}
