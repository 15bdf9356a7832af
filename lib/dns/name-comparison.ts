import { sha256 } from "@noble/hashes/sha2.js";
import { emptyBytes, equalBytes, utf8 } from "../base/bytes.ts";
import type { GossipData, StateComparison } from "../base/gossip.ts";
import type { PeerName } from "../base/peer-name.ts";
import { foldTwins, inWireOrder } from "./entry.ts";
import type { EntryStore } from "./entry-store.ts";

/**
 * How two peers find out that they hold the same names (docs/protocol.md): by the beginning of the
 * SHA-256 of all live entries in the order of the wire, each as JSON on a line of its own:
 *
 *   ["<hostname>","<container id>",<origin>,<address>,<version>]
 *
 * Tombstones do not count: every peer forgets them by its own clock. A name that lives at one of two
 * peers and is dead at the other makes a difference all the same. Whoever differs is sent the table.
 */
const digestBytes = 16;

export class NameComparison implements StateComparison {
  readonly #store: EntryStore;
  readonly #full: () => GossipData | undefined;
  #made: { readonly changes: number; readonly digest: Uint8Array } | undefined;

  /** `full` is what to send to a neighbour whose names differ. */
  constructor(store: EntryStore, full: () => GossipData | undefined) {
    this.#store = store;
    this.#full = full;
  }

  digest(): Uint8Array | undefined {
    return this.#store.size === 0 ? undefined : this.#digest();
  }

  inquire(_from: PeerName, digest: Uint8Array): Uint8Array | undefined {
    return equalBytes(digest, this.#digest()) ? undefined : emptyBytes;
  }

  answer(): GossipData | undefined {
    return this.#full();
  }

  #digest(): Uint8Array {
    const { changes } = this.#store;
    if (this.#made?.changes !== changes) this.#made = { changes, digest: this.#compute() };
    return this.#made.digest;
  }

  #compute(): Uint8Array {
    const hash = sha256.create();
    const live = foldTwins(this.#store.all()).filter(({ tombstone }) => tombstone === 0);
    for (const entry of live.sort(inWireOrder)) {
      const { hostname, containerId, origin, address, version } = entry;
      hash.update(utf8(`${JSON.stringify([hostname, containerId, origin, address, version])}\n`));
    }
    return hash.digest().subarray(0, digestBytes);
  }
}
