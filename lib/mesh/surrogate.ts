import type { GossipData, Gossiper } from "../base/gossip.ts";
import type { PeerName } from "../base/peer-name.ts";
import type { World } from "../base/world.ts";
import { RecentPayloads } from "./recent-payloads.ts";

/** Payloads that wait for one neighbour; beyond, the oldest are dropped. */
const queueMaxPayloads = 64;

/** Octets that it takes to keep a payload, and to know where it belongs. */
const payloadOverhead = 1024;

const memory = { lifetimeMs: 30_000, entriesMax: 1024 };

/**
 * Stands in for the owner of a channel that only others use (mesh-protocol §10): passes everything
 * on unread. Gossip is flooded, so what was seen in the last 30 s goes no further.
 */
export class Surrogate implements Gossiper {
  readonly #seen: RecentPayloads<true>;

  constructor(world: Pick<World, "monotonicMs">) {
    this.#seen = new RecentPayloads(world, memory);
  }

  onUnicast(): void {}

  onBroadcast(_origin: PeerName, payload: Uint8Array): GossipData {
    return new OpaquePayloads([payload]);
  }

  onGossip(_from: PeerName, payload: Uint8Array): GossipData | undefined {
    return this.#seen.sight("", payload, true) ? undefined : new OpaquePayloads([payload]);
  }

  full(): undefined {
    return undefined;
  }
}

/** Payloads that cannot be merged, because nobody here can read them. */
class OpaquePayloads implements GossipData {
  readonly #payloads: readonly Uint8Array[];

  readonly heldOctets: number;

  constructor(payloads: readonly Uint8Array[]) {
    this.#payloads = payloads;
    this.heldOctets = payloads.reduce((sum, { length }) => sum + payloadOverhead + length, 0);
  }

  encode(): Uint8Array[] {
    return [...this.#payloads];
  }

  merge(newer: GossipData): GossipData {
    return new OpaquePayloads([...this.#payloads, ...newer.encode()].slice(-queueMaxPayloads));
  }
}
