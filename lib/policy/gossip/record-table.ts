import { keyOf, ownerOf, type RecordName, type SharedRecord, supersedes } from "./shared-record.ts";

/** Documents that are kept, of all kinds, removed ones included; further ones are refused. */
export const documentsMax = 8192;

/** Pods and hosts of all peers that are kept, removed ones included. */
export const podsMax = 65_536;

/** Keeps records over the end of a process. Nothing is waited for. */
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
    if (known !== undefined) {
      if (!supersedes(record, known)) return supersedes(known, record) ? "older" : "known";
    } else if (!this.#count(record, 1)) {
      return "full";
    }
    this.#records.set(key, record);
    this.#changes++;
    return "new";
  }

  erase(name: RecordName): void {
    if (!this.#records.delete(keyOf(name))) return;
    this.#count(name, -1);
    this.#changes++;
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
