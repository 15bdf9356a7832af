import { errorText, WeaveError } from "../base/errors.ts";
import type { Log } from "../base/world.ts";
import type { AllocatorChange, AllocatorStore } from "./allocator-store.ts";
import type { Ledger } from "./ledger.ts";
import type { Council } from "./reclaim-council.ts";

/** Brings what changed in the ledger into the store, and remembers when that fails. */
export class Journal {
  readonly #ledger: Ledger;
  readonly #council: Council;
  readonly #store: AllocatorStore;
  readonly #log: Log;
  #error: WeaveError | undefined;

  constructor(ledger: Ledger, council: Council, store: AllocatorStore, log: Log) {
    this.#ledger = ledger;
    this.#council = council;
    this.#store = store;
    this.#log = log;
  }

  /** Why the last change is not stored, `IPAM_STORE_FAILED`; absent while all is well. */
  get error(): WeaveError | undefined {
    return this.#error;
  }

  /** One transaction. What could not be stored is part of the next one. */
  save(options: { withCounts: boolean }): void {
    const change = this.#unsaved(options.withCounts);
    try {
      if (change !== undefined) this.#store.save(change);
    } catch (error) {
      this.#failed(error);
      return;
    }
    if (change !== undefined) this.#ledger.saved(change);
    if (change?.council !== undefined) this.#council.saved(change.council);
    this.#error = undefined;
  }

  #unsaved(withCounts: boolean): AllocatorChange | undefined {
    const change = this.#ledger.unsaved(withCounts);
    const council = this.#council.unsaved();
    if (council === undefined) return change;
    return { ...(change ?? this.#ledger.noChange()), council };
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
