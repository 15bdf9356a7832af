import { WeaveError } from "../../base/errors.ts";
import type { Log } from "../../base/world.ts";
import { podsMax, type RecordStore } from "./record-table.ts";
import { keyOf, type RecordName, type SharedRecord } from "./shared-record.ts";

/** Of more that cannot be stored the earliest are given up: other peers still know them. */
const waitingMax = 2 * podsMax;

type Waiting =
  | { readonly kind: "saved"; readonly record: SharedRecord }
  | { readonly kind: "erased"; readonly record: RecordName };

/**
 * Stores records and their end. What is known holds whether or not it can be stored: a policy is enforced
 * while the disk is full, and what could not be stored is part of the next change.
 *
 *   change ──▶ waiting ──stored──▶ nothing waits
 *                 └──── refused: said once, and tried again with the next change
 */
export class RecordKeeper {
  readonly #store: RecordStore;
  readonly #log: Log;
  readonly #waiting = new Map<string, Waiting>();
  #error: WeaveError | undefined;

  constructor(store: RecordStore, log: Log) {
    this.#store = store;
    this.#log = log;
  }

  /** Why something is not stored; `undefined` while all is well. */
  get error(): WeaveError | undefined {
    return this.#error;
  }

  save(records: readonly SharedRecord[]): void {
    this.#add(records.map((record) => ({ kind: "saved", record })));
  }

  erase(names: readonly RecordName[]): void {
    this.#add(names.map((record) => ({ kind: "erased", record })));
  }

  #add(changes: readonly Waiting[]): void {
    for (const change of changes) {
      const key = keyOf(change.record);
      this.#waiting.delete(key);
      this.#waiting.set(key, change);
    }
    for (const earliest of this.#waiting.keys()) {
      if (this.#waiting.size <= waitingMax) break;
      this.#waiting.delete(earliest);
    }
    this.#storeAll();
  }

  #storeAll(): void {
    const all = [...this.#waiting.values()];
    const saved = all.flatMap((each) => (each.kind === "saved" ? each.record : []));
    const erased = all.flatMap((each) => (each.kind === "erased" ? each.record : []));
    try {
      if (saved.length > 0) this.#store.save(saved);
      if (erased.length > 0) this.#store.erase(erased);
    } catch (error) {
      if (!(error instanceof WeaveError)) throw error;
      if (this.#error === undefined)
        this.#log.error(`policy: in force, not kept: ${error.message}`);
      this.#error = error;
      return;
    }
    this.#waiting.clear();
    this.#error = undefined;
  }
}
