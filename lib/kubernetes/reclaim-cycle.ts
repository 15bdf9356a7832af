import { type Random, randomUnit } from "../base/random.ts";
import { RetryDelay } from "../base/retry-delay.ts";
import type { ListedPeer, PeerList } from "./peer-list.ts";
import { claimOn, gonePeers, turnMs } from "./reclaim-order.ts";

/** Those whose turn comes together are apart by up to this. */
const jitterMs = 500;

/** How often it is looked in vain, one after the other, before all is left to others. */
const vainLooksMax = 3;
const vainLookMs = 1500;

/** When it is looked again while somebody is gone and others see to it. */
const laterMs = 30_000;

/** When a peer is asked for again that is part of the network still: its end may be a moment ago. */
const aliveDelays = { firstMs: 2000, maxMs: 30_000, growth: 1.5 };

const retryDelays = { firstMs: 1000, maxMs: 30_000, growth: 2 };

/** How we stand ourselves: nobody takes from others who may be gone himself. */
export type Standing =
  | "member"
  /** We are in the list, but our node is not among the nodes: others will take what is ours. */
  | "nodeless"
  /** We are not in the list: others may have taken it. */
  | "struck";

/** What is known right before ranges are taken. */
export interface Confirmation {
  /** As it is after the lock was written. */
  readonly list: PeerList;
  /** Whether the server has a node of the peer that is gone, and ours. */
  readonly hasNode: boolean;
  readonly hasOwnNode: boolean;
}

/** One that is gone, and when we may see to it. Times are those of the monotonic clock. */
interface Gone {
  /** When it was first seen to be, or up to half a second later. */
  readonly sinceMs: number;
  notBeforeMs: number;
  readonly alive: RetryDelay;
}

/** What is to be done next. */
export type ReclaimStep =
  /** Nobody is gone. */
  | { readonly kind: "sleep" }
  | { readonly kind: "rest"; readonly delayMs: number }
  /** Read the list, and the names of the nodes. */
  | { readonly kind: "look" }
  /** Write our name under the lock, unless somebody else is faster. */
  | { readonly kind: "claim"; readonly peer: ListedPeer }
  /** Read the list again, and ask for the node itself, and for ours. */
  | { readonly kind: "confirm"; readonly peer: ListedPeer }
  /** Have the router take over the ranges. */
  | { readonly kind: "take"; readonly peer: ListedPeer }
  /** Remove the peer from the list, and its locks. */
  | { readonly kind: "strike"; readonly peer: ListedPeer }
  /** Give the lock back: the node is there again. */
  | { readonly kind: "release"; readonly peer: ListedPeer };

/**
 * How the ranges of peers that are gone come to those that are there, each to one (kubernetes §5);
 * decides, and does nothing:
 *
 *   sleeping ──start, a node goes──▶ looking ──nobody is gone──▶ sleeping
 *                                    ▲ ▲ │ our turn, or our lock
 *             somebody was faster ───┘ │ ▼
 *             or has the lock        claiming ──▶ confirming ──its node is there──▶ releasing
 *                                      ▲ ▲           │ │ struck by somebody meanwhile     │
 *                                      │ │           ▼ └──────────────┐                   │
 *            still part of the network │ └─ later ─ taking ──▶ striking ──▶ looking ◀─────┘
 *
 * Whatever fails leads back to looking after a pause. A lock that we have leads from there to where
 * it was, also after a crash; one of a peer that was struck itself is anybody's.
 *
 * Between the look at the node and the taking of ranges nobody can start unseen: who starts has a
 * node, and does not use what it has while there is a lock on it (`PeerRegistration`).
 */
export class ReclaimCycle {
  readonly #self: ListedPeer;
  readonly #random: Random;
  #delay = new RetryDelay(retryDelays);
  #step: ReclaimStep = { kind: "look" };
  /** By name. */
  #gone = new Map<string, Gone>();
  #standing: Standing = "member";
  #vainLooks = 0;
  #isWoken = false;
  #reclaimed = 0;

  constructor(self: ListedPeer, random: Random) {
    this.#self = self;
    this.#random = random;
  }

  get step(): ReclaimStep {
    return this.#step;
  }

  get standing(): Standing {
    return this.#standing;
  }

  /** Peers that are gone and still in the list, as of the last look. */
  get gone(): number {
    return this.#gone.size;
  }

  /** Peers whose ranges were taken here, since the start. */
  get reclaimed(): number {
    return this.#reclaimed;
  }

  /** Something changed among the nodes. */
  nodesChanged(): void {
    this.#vainLooks = 0;
    this.#isWoken = true;
    if (this.#step.kind === "sleep" || this.#step.kind === "rest") this.rested();
  }

  rested(): void {
    this.#isWoken = false;
    this.#step = { kind: "look" };
  }

  looked(list: PeerList, nodeNames: ReadonlySet<string>, nowMs: number): void {
    const { peerName, nodeName } = this.#self;
    this.#standing = !list.has(peerName)
      ? "struck"
      : nodeNames.has(nodeName)
        ? "member"
        : "nodeless";
    const gone = this.#standing === "member" ? gonePeers(list, nodeNames, this.#self) : [];
    this.#gone = new Map(
      gone.map(({ peerName }) => [peerName, this.#gone.get(peerName) ?? this.#noticed(nowMs)]),
    );
    const back = list.peers.find(
      (peer) => claimOn(list, peer.peerName, this.#self) === "ours" && !gone.includes(peer),
    );
    if (back !== undefined) this.#step = { kind: "release", peer: back };
    else if (this.#standing !== "member") this.#step = this.#restFor(laterMs);
    else if (gone.length > 0) this.#choose(list, gone, nowMs);
    else this.#sleep();
  }

  /** @param isOurs whether the lock is in our hand now */
  claimed(peer: ListedPeer, isOurs: boolean): void {
    this.#step = isOurs ? { kind: "confirm", peer } : this.#inVain();
  }

  confirmed(peer: ListedPeer, { list, hasNode, hasOwnNode }: Confirmation): void {
    const { peerName, nodeName } = peer;
    const isMember = hasOwnNode && list.has(this.#self.peerName);
    if (!isMember || claimOn(list, peerName, this.#self) !== "ours") this.#step = this.#inVain();
    else if (!list.has(peerName)) this.#step = { kind: "strike", peer };
    else if (hasNode && nodeName !== this.#self.nodeName) this.#step = { kind: "release", peer };
    else this.#step = { kind: "take", peer };
  }

  /** @param isAlive the peer is part of the network, whatever became of its node */
  taken(peer: ListedPeer, isAlive: boolean, nowMs: number): void {
    if (!isAlive) {
      this.#reclaimed++;
      this.#step = { kind: "strike", peer };
      return;
    }
    const gone = this.#gone.get(peer.peerName);
    if (gone !== undefined) gone.notBeforeMs = nowMs + gone.alive.after(0);
    this.#step = { kind: "look" };
  }

  struck(): void {
    this.#goOn();
  }

  released(): void {
    this.#goOn();
  }

  failed(): void {
    this.#step = this.#restFor(this.#delay.after(0));
  }

  /** Until something changes among the nodes, unless it just did. */
  #sleep(): void {
    this.#vainLooks = 0;
    this.#step = this.#isWoken ? { kind: "look" } : { kind: "sleep" };
    this.#isWoken = false;
  }

  #goOn(): void {
    this.#vainLooks = 0;
    this.#delay = new RetryDelay(retryDelays);
    this.#step = { kind: "look" };
  }

  /** One that is ours to go on with, or that nobody has and whose turn for us has come. */
  #choose(list: PeerList, gone: readonly ListedPeer[], nowMs: number): void {
    let earliestMs = Number.POSITIVE_INFINITY;
    for (const peer of gone) {
      const claim = claimOn(list, peer.peerName, this.#self);
      if (claim === "taken") continue;
      const { sinceMs, notBeforeMs } = this.#gone.get(peer.peerName)!;
      const turn = claim === "ours" ? 0 : sinceMs + turnMs(list, peer.peerName, this.#self);
      const dueMs = Math.max(turn, notBeforeMs);
      if (dueMs <= nowMs) {
        this.#step = { kind: claim === "ours" ? "confirm" : "claim", peer };
        return;
      }
      earliestMs = Math.min(earliestMs, dueMs);
    }
    this.#step =
      earliestMs === Number.POSITIVE_INFINITY
        ? this.#inVain()
        : { kind: "rest", delayMs: earliestMs - nowMs };
  }

  /** Others see to it; but they may stop to. */
  #inVain(): ReclaimStep {
    this.#vainLooks++;
    const isLast = this.#vainLooks >= vainLooksMax;
    if (isLast) this.#vainLooks = 0;
    return this.#restFor(isLast ? laterMs : vainLookMs);
  }

  #noticed(nowMs: number): Gone {
    const sinceMs = nowMs + randomUnit(this.#random) * jitterMs;
    return { sinceMs, notBeforeMs: 0, alive: new RetryDelay(aliveDelays) };
  }

  /** Half of it at least. */
  #restFor(delayMs: number): ReclaimStep {
    return { kind: "rest", delayMs: delayMs * (0.5 + randomUnit(this.#random) / 2) };
  }
}
