import { errorText } from "../../base/errors.ts";
import type { Log } from "../../base/world.ts";

/** How the log is told. */
export interface AttemptWords {
  /** Before a colon and the reason. */
  readonly fails: string;
  worksAgain(): string;
}

/** Tries again and again what may fail; the log hears when that begins to fail, and when it is over. */
export class Attempts {
  readonly #log: Log;
  readonly #words: AttemptWords;
  #trouble: string | undefined;

  constructor(log: Log, words: AttemptWords) {
    this.#log = log;
    this.#words = words;
  }

  /** Why the latest failed; `undefined` when it did not. */
  get trouble(): string | undefined {
    return this.#trouble;
  }

  /** Whether it went well. */
  make(action: () => unknown): boolean {
    const before = this.#trouble;
    try {
      action();
      this.#trouble = undefined;
    } catch (error) {
      this.#trouble = errorText(error);
      if (before === undefined) this.#log.warn(`${this.#words.fails}: ${this.#trouble}`);
      return false;
    }
    if (before !== undefined) this.#log.info(this.#words.worksAgain());
    return true;
  }
}
