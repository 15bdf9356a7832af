import type { ExpectedStart, StartHold } from "../../lib/docker/start-hold.ts";

/** Starts that the test itself settles, for whoever holds them. */
export class MemoryStartHold implements StartHold {
  /** Ids, in the order in which starts were announced. */
  readonly expected: string[] = [];
  /** Announced, and not given up yet. */
  readonly held = new Set<string>();
  readonly #outcomes = new Map<string, PromiseWithResolvers<void>>();

  /** The next start of this container ends so. */
  settle(id: string, error?: Error): void {
    if (error === undefined) this.#outcome(id).resolve();
    else this.#outcome(id).reject(error);
  }

  expectStart(id: string): ExpectedStart {
    this.expected.push(id);
    this.held.add(id);
    return {
      attached: () => this.#outcome(id).promise,
      [Symbol.dispose]: () => void this.held.delete(id),
    };
  }

  async settled(id: string): Promise<void> {
    await this.#outcomes.get(id)?.promise.catch(() => {});
  }

  #outcome(id: string): PromiseWithResolvers<void> {
    const known = this.#outcomes.get(id) ?? Promise.withResolvers<void>();
    this.#outcomes.set(id, known);
    return known;
  }
}
