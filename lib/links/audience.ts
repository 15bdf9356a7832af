import type { PeerName } from "../base/peer-name.ts";
import { randomUnit } from "../base/random.ts";
import type { Cancel, World } from "../base/world.ts";
import type { Interest } from "./link-codec.ts";

/** Peers that are told at a time; who comes when they are so many is not told. */
export const viewersMax = 8;

/** One peer is told no more often, however often it asks. */
export const tellGapMs = 1000;

/** Each is told every so often, … */
const periodMinMs = 5000;
/** … and less often in a cluster of more peers than 50: so long for each. */
const periodPerPeerMs = 100;

/** Answers to one question come apart by chance, by up to so much for each peer that has one. */
const spreadPerPeerMs = 2;
const spreadMaxMs = 400;

/** @param peers of the cluster */
export function tellPeriodMs(peers: number): number {
  return Math.max(periodMinMs, peers * periodPerPeerMs);
}

interface Viewer {
  /** Wants to hear until then; monotonic, as are the others. */
  untilMs: number;
  /** When it is told next, or forgotten if it wants nothing any more. */
  dueMs: number;
  toldMs: number;
  /** Whether it is told when that is due, however long it wants to hear. */
  isOwed: boolean;
}

/**
 * Who is told of our links, and when.
 *
 *   ──asks──▶ owed: due after a moment ──told──▶ due after a period ──told──▶ …
 *                    ▲                    │             │
 *                    └── asks at once ────┴─────────────┘  a while after it was told for the last
 *                                                          time: forgotten
 */
export class Audience {
  readonly #world: Pick<World, "monotonicMs" | "after" | "random">;
  readonly #peers: () => number;
  readonly #tell: (due: readonly PeerName[]) => ReadonlySet<PeerName>;
  readonly #viewers = new Map<PeerName, Viewer>();
  #cancel: Cancel | undefined;

  /**
   * @param peers how many the cluster has
   * @param tell tells those who are due; returns whom nothing leads to, to be told soon after
   */
  constructor(
    world: Pick<World, "monotonicMs" | "after" | "random">,
    peers: () => number,
    tell: (due: readonly PeerName[]) => ReadonlySet<PeerName>,
  ) {
    this.#world = world;
    this.#peers = peers;
    this.#tell = tell;
  }

  get size(): number {
    return this.#viewers.size;
  }

  asked(by: PeerName, { isNow, forMs }: Interest): void {
    const nowMs = this.#world.monotonicMs();
    const known = this.#viewers.get(by);
    if (known === undefined && this.#viewers.size >= viewersMax) return;
    const viewer = known ?? {
      ...{ untilMs: nowMs, dueMs: Number.POSITIVE_INFINITY },
      ...{ toldMs: Number.NEGATIVE_INFINITY, isOwed: false },
    };
    this.#viewers.set(by, viewer);
    viewer.untilMs = Math.max(viewer.untilMs, nowMs + forMs);
    // Whoever is new here is told at once, also one whose first question was not heard.
    if (isNow || known === undefined) {
      const soonMs = Math.max(nowMs + this.#spreadMs(), viewer.toldMs + tellGapMs);
      viewer.dueMs = viewer.isOwed ? Math.min(viewer.dueMs, soonMs) : soonMs;
      viewer.isOwed = true;
    }
    this.#arm();
  }

  gone(peer: PeerName): void {
    this.#viewers.delete(peer);
  }

  stop(): void {
    this.#viewers.clear();
    this.#cancel?.();
    this.#cancel = undefined;
  }

  #spreadMs(): number {
    return randomUnit(this.#world.random) * Math.min(spreadMaxMs, this.#peers() * spreadPerPeerMs);
  }

  #arm(): void {
    this.#cancel?.();
    this.#cancel = undefined;
    if (this.#viewers.size === 0) return;
    const dueMs = Math.min(...[...this.#viewers.values()].map((viewer) => viewer.dueMs));
    const waitMs = Math.max(0, dueMs - this.#world.monotonicMs());
    this.#cancel = this.#world.after(waitMs, () => this.#tellDue());
  }

  #tellDue(): void {
    const nowMs = this.#world.monotonicMs();
    const due: PeerName[] = [];
    for (const [peer, { dueMs, untilMs, isOwed }] of this.#viewers) {
      if (dueMs > nowMs) continue;
      if (isOwed || dueMs <= untilMs) due.push(peer);
      else this.#viewers.delete(peer);
    }
    const missed = due.length === 0 ? new Set() : this.#tell(due);
    const nextMs = nowMs + tellPeriodMs(this.#peers());
    for (const peer of due) {
      const viewer = this.#viewers.get(peer);
      if (viewer === undefined) continue;
      viewer.toldMs = nowMs;
      viewer.dueMs = nowMs + tellGapMs;
      if (nextMs > viewer.untilMs) viewer.untilMs = nowMs;
      else if (!missed.has(peer)) viewer.dueMs = nextMs;
      viewer.isOwed = false;
    }
    this.#arm();
  }
}
