import { errorText } from "../base/errors.ts";
import type { Log } from "../base/world.ts";

/**
 * What has been done so far and how to take it back, latest first. A step that cannot be taken back
 * is logged and does not keep the others from being taken back.
 */
export class Undo {
  readonly #steps: { readonly what: string; readonly action: () => void }[] = [];

  /** Call it right after a step succeeded. */
  push(what: string, action: () => void): void {
    this.#steps.push({ what, action });
  }

  rollBack(log: Log): void {
    for (let step = this.#steps.pop(); step !== undefined; step = this.#steps.pop()) {
      try {
        step.action();
      } catch (error) {
        log.warn(`could not take back: ${step.what}: ${errorText(error)}`);
      }
    }
  }
}
