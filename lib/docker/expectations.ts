import { currentSpan, type OpenSpan } from "../daemon/tracing/span.ts";

/** Somebody who waits for a start. */
export interface Expectation {
  /** What is traced by whoever waits, if anything is. */
  readonly span: OpenSpan | undefined;
  /** Why the container could not be attached. */
  failure: Error | undefined;
}

/** Who waits for which container. */
export class Expectations {
  readonly #byId = new Map<string, Set<Expectation>>();

  add(id: string): Expectation {
    const expectation: Expectation = { span: currentSpan(), failure: undefined };
    const those = this.#byId.get(id) ?? new Set();
    this.#byId.set(id, those.add(expectation));
    return expectation;
  }

  remove(id: string, expectation: Expectation): void {
    const those = this.#byId.get(id);
    if (those?.delete(expectation) && those.size === 0) this.#byId.delete(id);
  }

  /** The first who waits for it. */
  of(id: string): Expectation | undefined {
    return this.#byId.get(id)?.values().next().value;
  }

  /** A failure of a former run no longer counts. */
  succeeded(id: string): void {
    for (const each of this.#byId.get(id) ?? []) each.failure = undefined;
  }

  /** False when nobody waits. */
  failed(id: string, failure: Error): boolean {
    const those = this.#byId.get(id);
    for (const each of those ?? []) each.failure = failure;
    return those !== undefined;
  }
}
