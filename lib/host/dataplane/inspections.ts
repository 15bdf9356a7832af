import { WeaveError } from "../../base/errors.ts";
import type { Inspection } from "./protocol.ts";

const answerWaitMs = 5000;

/** Questions to the worker how everything is, which wait for their answers. */
export class Inspections {
  readonly #waiting = new Map<number, PromiseWithResolvers<Inspection>>();
  #last = 0;

  /**
   * @param ask sends a question by its number; false when nobody is there to be asked
   * @throws WeaveError `DATA_PLANE_SILENT`
   */
  request(ask: (request: number) => boolean): Promise<Inspection> {
    const request = ++this.#last;
    if (!ask(request)) return Promise.reject(silent("is being started anew"));
    const waiting = Promise.withResolvers<Inspection>();
    this.#waiting.set(request, waiting);
    const timer = setTimeout(() => waiting.reject(silent("does not answer")), answerWaitMs);
    return waiting.promise.finally(() => {
      clearTimeout(timer);
      this.#waiting.delete(request);
    });
  }

  answered(request: number, inspection: Inspection): void {
    this.#waiting.get(request)?.resolve(inspection);
  }

  /** Who was asked is no more. */
  workerEnded(why: string): void {
    for (const { reject } of this.#waiting.values()) reject(silent(why));
    this.#waiting.clear();
  }
}

function silent(why: string): WeaveError {
  return new WeaveError("DATA_PLANE_SILENT", `the data plane ${why}`, { remedy: "try again" });
}
