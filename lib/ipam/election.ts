import type { PeerName } from "../base/peer-name.ts";
import { type NodeClaims, type NodeId, Paxos } from "./paxos.ts";

/** What came of a step: whether to tell the others, and the peers agreed on, if any. */
export interface ElectionStep {
  readonly tell: boolean;
  readonly decided: readonly PeerName[] | undefined;
}

/**
 * How a peer without a ring comes to one (ipam §9.3).
 *
 *   idle ──first need of a ring──▶ awaiting ──decided, or a ring received──▶ over
 *
 * An elector proposes anew at a tick while it waits, unless another one's proposal makes progress. An
 * observer has no say: telling the others that it has neither ring nor votes asks them to elect.
 */
export class Election {
  readonly #paxos: Paxos | undefined;
  #awaiting = false;
  /** Whether anybody claimed anything new since the last tick. */
  #moves = false;
  /** Whether we waited at the last tick. */
  #waited = false;

  constructor(self: NodeId, isElector: boolean) {
    this.#paxos = isElector ? new Paxos(self) : undefined;
  }

  get awaiting(): boolean {
    return this.#awaiting;
  }

  get isElector(): boolean {
    return this.#paxos !== undefined;
  }

  get knownNodes(): number {
    return this.#paxos?.knownNodes ?? 0;
  }

  /** Votes needed; 0 for an observer and before the election starts. */
  get quorum(): number {
    return this.#paxos?.quorum ?? 0;
  }

  /** The votes table to send; absent for an observer, which is what makes others elect. */
  table(): readonly NodeClaims[] | undefined {
    return this.#paxos?.table();
  }

  /** Whoever has voted. */
  *voters(): Iterable<PeerName> {
    for (const { node } of this.table() ?? []) yield node.name;
  }

  /** Calls the election. `quorum` is what it takes now; others may come into sight, or be out of it. */
  start(quorum: number): ElectionStep {
    this.#awaiting = true;
    this.#recount(quorum);
    return this.propose();
  }

  /**
   * Time to propose anew, unless somebody else's proposal is under way: many proposers who outbid
   * each other at every tick get nowhere and cost a message to everybody for each promise. But not
   * twice in a row, for that somebody may be gone while others are still heard of.
   */
  tick(quorum = this.quorum): ElectionStep {
    this.#recount(quorum);
    this.#waited = this.#moves && !this.#waited && this.#paxos?.isOutbid === true;
    this.#moves = false;
    return this.#waited ? { tell: false, decided: undefined } : this.propose();
  }

  propose(): ElectionStep {
    this.#paxos?.propose();
    return { tell: true, decided: this.#paxos?.decided() };
  }

  receive(table: readonly NodeClaims[], quorum = this.quorum): ElectionStep {
    this.#recount(quorum);
    if (!this.#paxos?.receive(table)) return { tell: false, decided: undefined };
    this.#moves = true;
    return { tell: this.#paxos.think(), decided: this.#paxos.decided() };
  }

  end(): void {
    this.#awaiting = false;
  }

  /** Who has not called the election counts nothing: it promises and accepts, no more. */
  #recount(quorum: number): void {
    if (this.#awaiting && this.#paxos !== undefined) this.#paxos.quorum = quorum;
  }
}
