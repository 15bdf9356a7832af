import type { PeerName } from "../../base/peer-name.ts";
import { keyOf, ownerOf, type RecordName, type SharedRecord, supersedes } from "./shared-record.ts";

/** Documents that are kept, of all kinds, removed ones included; further ones are refused. */
export const documentsMax = 8192;

/** Pods and hosts of all peers that are kept, removed ones included. */
export const podsMax = 65_536;

/**
 * What one peer may say of its own host, of what is not removed: four times the ports that a bridge
 * of Linux has, and 2 KiB for each.
 */
export const ownRecordsMax = 4096;
export const ownCharsMax = 8 << 20;

/** Keeps records over the end of a process. Nothing is waited for. Both changes throw WeaveError. */
export interface RecordStore {
  all(): readonly SharedRecord[];
  /** As one change. */
  save(records: readonly SharedRecord[]): void;
  /** As if they had never been. */
  erase(names: readonly RecordName[]): void;
}

/** What became of a record that somebody has said. */
export type Taken = "new" | "known" | "older" | "full";

/** What is known last of each name. */
export class RecordTable {
  readonly #records = new Map<string, SharedRecord>();
  readonly #counts = { pods: 0, documents: 0 };
  /** What each peer says of its own host. */
  readonly #shares = new Map<PeerName, Share>();
  #changes = 0;

  /** Grows with every change. */
  get changes(): number {
    return this.#changes;
  }

  get size(): number {
    return this.#records.size;
  }

  all(): IterableIterator<SharedRecord> {
    return this.#records.values();
  }

  get(name: RecordName): SharedRecord | undefined {
    return this.#records.get(keyOf(name));
  }

  /** What is told of it changes without it, as when a peer comes or goes. */
  touch(): void {
    this.#changes++;
  }

  /** Puts a record in the place of an older one of its name. */
  take(record: SharedRecord): Taken {
    const key = keyOf(record);
    const known = this.#records.get(key);
    if (known !== undefined && !supersedes(record, known)) {
      return supersedes(known, record) ? "older" : "known";
    }
    if (!this.#hasShare(record, known) || (known === undefined && !this.#count(record, 1))) {
      return "full";
    }
    this.#share(known, -1);
    this.#share(record, 1);
    this.#records.set(key, record);
    this.#changes++;
    return "new";
  }

  erase(name: RecordName): void {
    const key = keyOf(name);
    const known = this.#records.get(key);
    if (known === undefined) return;
    this.#records.delete(key);
    this.#share(known, -1);
    this.#count(name, -1);
    this.#changes++;
  }

  /** Whether its peer may say this in the place of what is known. */
  #hasShare(record: SharedRecord, known: SharedRecord | undefined): boolean {
    const owner = ownerOf(record);
    const share = owner === undefined ? undefined : this.#shares.get(owner);
    if (share === undefined || record.content === undefined) return true;
    const before = shareOf(known);
    const now = shareOf(record);
    return (
      share.records - before.records + now.records <= ownRecordsMax &&
      share.chars - before.chars + now.chars <= ownCharsMax
    );
  }

  #share(record: SharedRecord | undefined, by: 1 | -1): void {
    const owner = record && ownerOf(record);
    const { records, chars } = shareOf(record);
    if (owner === undefined || records === 0) return;
    const share = this.#shares.get(owner) ?? { records: 0, chars: 0 };
    share.records += by * records;
    share.chars += by * chars;
    if (share.records === 0) this.#shares.delete(owner);
    else this.#shares.set(owner, share);
  }

  /** False when there is no room for one more. */
  #count(name: RecordName, by: 1 | -1): boolean {
    const [which, max] =
      ownerOf(name) !== undefined
        ? (["pods", podsMax] as const)
        : (["documents", documentsMax] as const);
    if (by === 1 && this.#counts[which] >= max) return false;
    this.#counts[which] += by;
    return true;
  }
}

interface Share {
  records: number;
  chars: number;
}

/** What is removed takes no part of it. */
function shareOf(record: SharedRecord | undefined): Share {
  const { content } = record ?? {};
  return content === undefined ? { records: 0, chars: 0 } : { records: 1, chars: content.length };
}
