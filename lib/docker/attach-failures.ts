import { errorText, WeaveError } from "../base/errors.ts";

/** A container that could not be attached. */
export interface AttachFailure {
  readonly id: string;
  /** As people call it. */
  readonly name: string;
  /** Milliseconds since the Unix epoch. */
  readonly atMs: number;
  readonly reason: string;
  /** What to do; empty when that is not known. */
  readonly remedy: string;
}

/** What operators look at has that many at most. */
const failuresMax = 32;

/** The latest failure of each container, the oldest of which make room. */
export class AttachFailures {
  readonly #byId = new Map<string, AttachFailure>();
  #total = 0;

  add({ id, name }: { readonly id: string; readonly name: string }, error: unknown, atMs: number) {
    this.#total++;
    this.#byId.delete(id);
    const remedy = error instanceof WeaveError ? (error.remedy ?? "") : "";
    this.#byId.set(id, { id, name, atMs, reason: errorText(error), remedy });
    for (const oldest of this.#byId.keys()) {
      if (this.#byId.size <= failuresMax) break;
      this.#byId.delete(oldest);
    }
  }

  /** It is attached after all, or is no more. */
  forget(id: string): void {
    this.#byId.delete(id);
  }

  of(id: string): AttachFailure | undefined {
    return this.#byId.get(id);
  }

  /** Oldest first. */
  list(): readonly AttachFailure[] {
    return [...this.#byId.values()];
  }

  /** Since the start of the router. */
  get total(): number {
    return this.#total;
  }
}
