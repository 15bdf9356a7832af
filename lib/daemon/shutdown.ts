import { errorText } from "../base/errors.ts";
import type { Log } from "../base/world.ts";

/** What has to be ended when the router stops, in the reverse order of its start. */
export class Shutdown {
  readonly #steps: { readonly what: string; readonly end: () => void | Promise<void> }[] = [];

  push(what: string, end: () => void | Promise<void>): void {
    this.#steps.push({ what, end });
  }

  /** Ends everything, each thing once; one that fails does not keep the others running. */
  async run(log: Log): Promise<void> {
    for (let step = this.#steps.pop(); step !== undefined; step = this.#steps.pop()) {
      try {
        await step.end();
      } catch (error) {
        log.warn(`could not end ${step.what} in good order: ${errorText(error)}`);
      }
    }
  }
}
