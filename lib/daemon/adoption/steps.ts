import { errorText, WeaveError } from "../../base/errors.ts";

/** One part of an undertaking. */
export interface Step {
  /** What is being done, as a sentence; absent for what nobody has to hear of. */
  readonly says?: string;
  action(): void | Promise<void>;
  /** Takes it back, also when it was done by half or not at all. */
  readonly undo?: { readonly says: string; action(): void | Promise<void> };
}

/** Steps with a way back. */
export class Steps {
  readonly #say: (sentence: string) => void;
  readonly #signal: AbortSignal;
  readonly #undo: NonNullable<Step["undo"]>[] = [];

  constructor(say: (sentence: string) => void, signal: AbortSignal) {
    this.#say = say;
    this.#signal = signal;
  }

  /**
   * @throws what the step throws, or WeaveError `INTERRUPTED` before it; everything can then be
   *   taken back, this step included
   */
  async run({ says, action, undo }: Step): Promise<void> {
    if (this.#signal.aborted) throw new WeaveError("INTERRUPTED", "interrupted");
    if (says !== undefined) this.#say(says);
    if (undo !== undefined) this.#undo.push(undo);
    await action();
  }

  /** Latest first. Says what cannot be taken back, and goes on with the others. */
  async takeBack(): Promise<void> {
    for (let step = this.#undo.pop(); step !== undefined; step = this.#undo.pop()) {
      this.#say(step.says);
      try {
        await step.action();
      } catch (error) {
        this.#say(`that failed: ${errorText(error)}`);
      }
    }
  }
}
