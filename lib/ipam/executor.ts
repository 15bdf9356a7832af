import { assert } from "../base/errors.ts";
import type { Channel, GossipData } from "../base/gossip.ts";
import type { Log } from "../base/world.ts";
import type { AddressSet } from "./address-set.ts";
import type { OwnedRangesChange } from "./allocator-config.ts";
import type { AllocatorStore } from "./allocator-store.ts";
import { Journal } from "./journal.ts";
import type { Ledger } from "./ledger.ts";
import type { Negotiation } from "./negotiation.ts";
import type { Outbox } from "./outbox.ts";
import { newClaim } from "./request.ts";
import type { RequestQueue } from "./request-queue.ts";
import { encodeState } from "./state-codec.ts";

interface Parts {
  readonly ledger: Ledger;
  readonly outbox: Outbox;
  readonly negotiation: Negotiation;
  readonly requests: RequestQueue;
  readonly store: AllocatorStore;
  readonly log: Log;
  /** Called when somebody's ranges may have become others. */
  readonly ringChanged: () => void;
}

/**
 * Runs actions to their end, one after the other, each with what follows from it (ipam §10).
 *
 *   action ─▶ retry what waits ─▶ report free counts ─▶ store ─▶ send, answer
 *
 * What an action decided is told only after it is stored, and not at all if that fails.
 */
export class Executor {
  /** Where messages go; until it is there, nothing is sent. */
  channel: Channel | undefined;
  onOwnedRangesChanged: ((change: OwnedRangesChange) => void) | undefined;

  readonly #parts: Parts;
  readonly #journal: Journal;
  #rangeChanges: OwnedRangesChange[] = [];
  /** Of the ledger, as of the last time that anybody was told. */
  #ringChangesTold = 0;
  #retryWanted = false;
  #isActing = false;

  constructor(parts: Parts) {
    this.#parts = parts;
    const { ledger, store, log } = parts;
    this.#journal = new Journal(ledger, parts.negotiation.council, store, log);
  }

  /** Why the last change is not stored; absent while all is well. */
  get storeError(): Error | undefined {
    return this.#journal.error;
  }

  /**
   * What to tell everybody. What is not stored is not told, so a failing store leaves nothing. That
   * holds for counts of free addresses as well: after a crash their versions would be used again for
   * something else, and others could not tell which of the two is meant.
   */
  get state(): GossipData | undefined {
    if (this.storeError !== undefined) return undefined;
    const { negotiation } = this.#parts;
    return {
      encode: () => {
        this.storeAll();
        return this.storeError === undefined ? [encodeState(negotiation.message())] : [];
      },
      merge: (newer) => newer,
    };
  }

  run<T>(action: () => T): T {
    assert(!this.#isActing, "an action of the allocator began inside another");
    const { ledger } = this.#parts;
    const ownedBefore = ledger.space.owned;
    this.#isActing = true;
    try {
      return action();
    } finally {
      try {
        this.#settle();
        this.#compareOwned(ownedBefore);
      } finally {
        this.#isActing = false;
      }
      this.#conclude();
    }
  }

  /** Something is free that requests may be waiting for. */
  wantRetry(): void {
    this.#retryWanted = true;
  }

  /** Stores all there is to store, counts of free addresses included. */
  storeAll(): void {
    this.#journal.save({ withCounts: true });
  }

  /** Serves what waits until nothing changes any more, and lets the ring know. */
  #settle(): void {
    const { negotiation, requests, ledger } = this.#parts;
    while (this.#takeRetryWanted()) {
      for (const row of negotiation.takeYielded()) {
        requests.add(newClaim({ ...row, noErrorOnUnknown: true }, undefined));
      }
      requests.retry();
    }
    const inherited = negotiation.takeInherited();
    if (inherited.length > 0) {
      this.#rangeChanges.push({ previous: inherited, current: [], isLocal: false });
    }
    ledger.reportFree();
    negotiation.sayCouncilWords();
    ledger.assertBalanced();
  }

  #takeRetryWanted(): boolean {
    const { negotiation } = this.#parts;
    negotiation.carryOutDecided();
    const isWanted = negotiation.takeRingChanged() || this.#retryWanted;
    this.#retryWanted = false;
    return isWanted;
  }

  #compareOwned(before: AddressSet): void {
    const { owned } = this.#parts.ledger.space;
    if (owned.equals(before)) return;
    this.#parts.negotiation.council.follow(owned);
    this.#rangeChanges.push({ previous: before.ranges(), current: owned.ranges(), isLocal: true });
    this.#parts.ledger.assertConsistent();
  }

  /** Whoever is told something may start the next action, so nothing of this one is left open. */
  #conclude(): void {
    const { outbox } = this.#parts;
    this.#journal.save({ withCounts: outbox.isWaiting });
    const error = this.storeError;
    const decisions = this.#parts.requests.takeDecisions();
    const rangeChanges = this.#rangeChanges;
    this.#rangeChanges = [];
    const { state } = this;
    if (state === undefined) outbox.dropUnicasts();
    else if (this.channel !== undefined) outbox.send(this.channel, state);
    for (const change of rangeChanges) this.onOwnedRangesChanged?.(change);
    this.#tellOfRing();
    for (const decision of decisions) {
      if (error === undefined) decision.deliver();
      else decision.withdraw(error);
    }
  }

  #tellOfRing(): void {
    const { ringChanges } = this.#parts.ledger;
    if (ringChanges === this.#ringChangesTold) return;
    this.#ringChangesTold = ringChanges;
    this.#parts.ringChanged();
  }
}
