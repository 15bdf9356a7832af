import type { GossipData } from "../base/gossip.ts";
import { type Entry, identityOf, supersedes } from "./entry.ts";
import { encodeNames } from "./name-codec.ts";

/** Octets that an entry takes beside its texts, about. */
const entryOverhead = 256;

/** Changes on their way to other peers, stamped when they are sent or with the time they came with. */
export class NameChanges implements GossipData {
  readonly #entries = new Map<string, Entry>();
  #heldOctets = 0;
  #timestampS: () => number;

  /** `timestampS`: Unix seconds; a relayed broadcast keeps its sender's (dns §4). */
  constructor(entries: Iterable<Entry>, timestampS: () => number) {
    this.#timestampS = timestampS;
    this.#take(entries);
  }

  /** Others may say names without end, and a neighbour take none. */
  get heldOctets(): number {
    return this.#heldOctets;
  }

  encode(): Uint8Array[] {
    return encodeNames(this.#entries.values(), this.#timestampS());
  }

  merge(newer: GossipData): GossipData {
    if (!(newer instanceof NameChanges)) return newer;
    this.#take(newer.#entries.values());
    this.#timestampS = newer.#timestampS;
    return this;
  }

  #take(entries: Iterable<Entry>): void {
    for (const entry of entries) {
      const identity = identityOf(entry);
      const other = this.#entries.get(identity);
      if (other === undefined) this.#heldOctets += entryOverhead + 2 * identity.length;
      if (other === undefined || supersedes(entry, other)) this.#entries.set(identity, entry);
    }
  }
}

/** The whole table as it is at the moment of sending, tombstones included. */
export class WholeTable implements GossipData {
  readonly #entries: () => Iterable<Entry>;
  readonly #timestampS: () => number;

  constructor(entries: () => Iterable<Entry>, timestampS: () => number) {
    this.#entries = entries;
    this.#timestampS = timestampS;
  }

  encode(): Uint8Array[] {
    return encodeNames(this.#entries(), this.#timestampS());
  }

  /** Every change that may wait to be sent is in the table already. */
  merge(_newer: GossipData): GossipData {
    return this;
  }
}
