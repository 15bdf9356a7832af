import { errorText, WeaveError } from "../base/errors.ts";
import type { Log } from "../base/world.ts";
import type { AllocatorStore } from "./allocator-store.ts";
import type { Ledger } from "./ledger.ts";

/** Brings what changed in the ledger into the store, and remembers when that fails. */
export class Journal {
  readonly #ledger: Ledger;
  readonly #store: AllocatorStore;
  readonly #log: Log;
  #error: WeaveError | undefined;

  constructor(ledger: Ledger, store: AllocatorStore, log: Log) {
    this.#ledger = ledger;
    this.#store = store;
    this.#log = log;
  }

  /** Why the last change is not stored, `IPAM_STORE_FAILED`; absent while all is well. */
  get error(): WeaveError | undefined {
    return this.#error;
  }

  /** One transaction. What could not be stored is part of the next one. */
  save(options: { withCounts: boolean }): void {
    const change = this.#ledger.unsaved(options.withCounts);
    try {
      if (change !== undefined) this.#store.save(change);
    } catch (error) {
      this.#failed(error);
      return;
    }
    if (change !== undefined) this.#ledger.saved(change);
    this.#error = undefined;
  }

  #failed(cause: unknown): void {
    const isNews = this.#error === undefined;
    this.#error = new WeaveError(
      "IPAM_STORE_FAILED",
      `cannot store IP allocation data: ${errorText(cause)}`,
      { cause, remedy: "see that the disk of the database is writable and not full" },
    );
    if (isNews) this.#log.error(`[allocator] ${this.#error.message}`);
  }
}
