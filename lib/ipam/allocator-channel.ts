import type { GossipData, Gossiper } from "../base/gossip.ts";
import { formatPeerName, type PeerName } from "../base/peer-name.ts";
import type { Log } from "../base/world.ts";
import { AllocatorComparison } from "./allocator-comparison.ts";
import type { Executor } from "./executor.ts";
import type { Negotiation } from "./negotiation.ts";
import type { RequestQueue } from "./request-queue.ts";
import { decodeState } from "./state-codec.ts";
import { decodeUnicast } from "./unicast-codec.ts";

interface Parts {
  readonly negotiation: Negotiation;
  readonly requests: RequestQueue;
  readonly executor: Executor;
  readonly log: Log;
  /** Told what time it was, by its clock, when a neighbour said what it knows; ms since 1970. */
  readonly clockShown: (peer: PeerName, unixMs: number) => void;
}

/**
 * The owner of channel `IPallocation`: reads what other peers say of rings and ranges (ipam §3), and
 * has each message dealt with as an action of its own.
 */
export class AllocatorChannel implements Gossiper {
  readonly comparison: AllocatorComparison;
  readonly #parts: Parts;

  constructor(parts: Parts) {
    this.#parts = parts;
    const { negotiation, executor } = parts;
    this.comparison = new AllocatorComparison({
      message: () => (executor.storeError === undefined ? negotiation.message() : undefined),
      full: () => this.full(),
      receive: (from, state) => executor.run(() => negotiation.receive(from, state, false)),
    });
  }

  /** @throws WeaveError for a message that is refused */
  onUnicast(from: PeerName, payload: Uint8Array): void {
    const message = decodeUnicast(payload);
    if (message === undefined) {
      const what = payload.length === 0 ? "an empty message" : `a message of kind ${payload[0]}`;
      this.#parts.log.warn(`[allocator] ignored ${what} from ${formatPeerName(from)}`);
      return;
    }
    this.#parts.executor.run(() => {
      switch (message.kind) {
        case "space-request":
          // What cannot be stored must not be given away; the peer will ask again.
          if (this.#parts.executor.storeError === undefined)
            this.#parts.negotiation.space.give(from, message.range);
          break;
        case "ring-update":
          this.#parts.negotiation.space.answered(from);
          this.#parts.negotiation.receive(from, message.state, true);
          break;
        case "space-denied":
          this.#parts.negotiation.space.denied(from, message.range);
          this.#parts.requests.denied(message.range);
          this.#parts.executor.wantRetry();
          break;
      }
    });
  }

  /** Passes on our own state, which includes the news. @throws WeaveError when it is refused */
  onBroadcast(origin: PeerName, payload: Uint8Array): GossipData | undefined {
    const state = decodeState(payload);
    this.#parts.executor.run(() => this.#parts.negotiation.receive(origin, state, true));
    return this.full();
  }

  /** Periodic state is not passed on. @throws WeaveError when it is refused */
  onGossip(from: PeerName, payload: Uint8Array): undefined {
    const state = decodeState(payload);
    this.#parts.clockShown(from, state.nowSeconds * 1000);
    this.comparison.heard(from, state);
    this.#parts.executor.run(() => this.#parts.negotiation.receive(from, state, false));
  }

  /** Our whole state; `undefined` while it cannot be stored. */
  full(): GossipData | undefined {
    return this.#parts.executor.state;
  }
}
