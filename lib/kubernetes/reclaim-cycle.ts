import { type Random, randomUnit } from "../base/random.ts";
import { RetryDelay } from "../base/retry-delay.ts";
import type { ListedPeer, PeerList } from "./peer-list.ts";
import { claimOn, gonePeers, turnMs } from "./reclaim-order.ts";

/** Turns are apart from each other by up to this much more. */
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

/** One that is gone, and when we may see to it, on the monotonic clock. */
interface Gone {
  dueMs: number;
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
  /** When our turn is for nodes that were just removed, by name. */
  #turns = new Map<string, number>();
  #standing: Standing = "member";
  #vainLooks = 0;
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

  /** @param left names of the nodes that there are now */
  nodeRemoved(name: string, left: ReadonlySet<string>, nowMs: number): void {
    this.#turns.set(name, this.#turnFor(name, left, nowMs));
    const dues = [...this.#turns.values(), ...[...this.#gone.values()].map(({ dueMs }) => dueMs)];
    this.#wake({ kind: "rest", delayMs: Math.max(0, Math.min(...dues) - nowMs) });
  }

  /** It may be one whose peer we were about to see to. */
  nodeAdded(): void {
    if (this.#gone.size > 0) this.#wake({ kind: "look" });
  }

  rested(): void {
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
      gone.map((peer) => [
        peer.peerName,
        this.#gone.get(peer.peerName) ?? this.#noticed(peer, list, nodeNames, nowMs),
      ]),
    );
    this.#turns.clear();
    const back = list.peers.find(
      (peer) => claimOn(list, peer.peerName, this.#self) === "ours" && !gone.includes(peer),
    );
    if (back !== undefined) this.#step = { kind: "release", peer: back };
    else if (this.#standing !== "member") this.#step = this.#restFor(laterMs);
    else if (gone.length > 0) this.#choose(list, gone, nowMs);
    else {
      this.#vainLooks = 0;
      this.#step = { kind: "sleep" };
    }
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
    if (gone !== undefined) gone.dueMs = nowMs + gone.alive.after(0);
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
      const { dueMs } = this.#gone.get(peer.peerName)!;
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

  #noticed(
    { peerName, nodeName }: ListedPeer,
    list: PeerList,
    nodeNames: ReadonlySet<string>,
    nowMs: number,
  ): Gone {
    const isOurs = claimOn(list, peerName, this.#self) === "ours";
    const turn = this.#turns.get(nodeName) ?? this.#turnFor(nodeName, nodeNames, nowMs);
    return { dueMs: isOurs ? nowMs : turn, alive: new RetryDelay(aliveDelays) };
  }

  /** What was on our node before us is ours alone to see to. */
  #turnFor(nodeName: string, nodeNames: ReadonlySet<string>, nowMs: number): number {
    if (nodeName === this.#self.nodeName) return nowMs;
    const turn = turnMs(nodeNames, nodeName, this.#self.nodeName);
    return nowMs + turn + randomUnit(this.#random) * jitterMs;
  }

  /** @param next what is done unless something is under way */
  #wake(next: ReclaimStep): void {
    this.#vainLooks = 0;
    if (this.#step.kind === "sleep" || this.#step.kind === "rest") this.#step = next;
  }

  /** Half of it at least. */
  #restFor(delayMs: number): ReclaimStep {
    return { kind: "rest", delayMs: delayMs * (0.5 + randomUnit(this.#random) / 2) };
  }
}
