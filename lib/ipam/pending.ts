import { WeaveError } from "../base/errors.ts";

/**
 * The answer that a caller waits for.
 *
 *   waiting ──succeed, fail──▶ decided ──deliver──▶ the promise settles
 *      ▲                          └──── withdraw──▶ undone, the promise is rejected
 *      └ an abort of the caller's signal reports itself at once
 *
 * A decision is delivered only after what it rests on is stored.
 */
export class Pending<T> implements Deliverable {
  readonly promise: Promise<T>;
  readonly #resolve: (value: T) => void;
  readonly #reject: (error: unknown) => void;
  readonly #signal: AbortSignal | undefined;
  readonly #onAbort: () => void;
  #outcome: { value: T; undo: () => void } | { error: unknown } | undefined;

  constructor(signal: AbortSignal | undefined, onAbort: () => void) {
    const { promise, resolve, reject } = Promise.withResolvers<T>();
    this.promise = promise;
    this.#resolve = resolve;
    this.#reject = reject;
    this.#signal = signal;
    this.#onAbort = onAbort;
    signal?.addEventListener("abort", onAbort, { once: true });
  }

  get isDecided(): boolean {
    return this.#outcome !== undefined;
  }

  get isAborted(): boolean {
    return this.#signal?.aborted ?? false;
  }

  /** Decides for success; `undo` takes back what the caller would otherwise hold unknowingly. */
  succeed(value: T, undo: () => void = () => {}): void {
    this.#outcome ??= { value, undo };
  }

  fail(error: unknown): void {
    this.#outcome ??= { error };
  }

  deliver(): void {
    this.#signal?.removeEventListener("abort", this.#onAbort);
    if (this.#outcome === undefined) return;
    if ("error" in this.#outcome) this.#reject(this.#outcome.error);
    else this.#resolve(this.#outcome.value);
  }

  withdraw(error: unknown): void {
    if (this.#outcome !== undefined && "value" in this.#outcome) {
      this.#outcome.undo();
      this.#outcome = { error };
    }
    this.deliver();
  }
}

/** A decision, of whatever type, that waits to be told. */
export interface Deliverable {
  deliver(): void;
  /** Tells `error` instead of a success that could not be stored. */
  withdraw(error: unknown): void;
}

/** The request was given up: its client or its container is gone, or the allocator shuts down. */
export function cancelled(): WeaveError {
  return new WeaveError("IPAM_CANCELLED", "cancelled");
}
