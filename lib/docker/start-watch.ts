import { errorText } from "../base/errors.ts";
import { pause } from "../base/pause.ts";
import type { Log, World } from "../base/world.ts";
import type { EngineContainer } from "./engine-models.ts";

/** An engine tells of a start before it knows the process. */
const inspectPeriodMs = 200;
const inspectWaitMs = 30_000;

/** Questions to the engine at a time, when many containers start at once. */
const inspectionsMax = 16;

/** Beyond that, starts are left to the next look at all containers. */
const waitingMax = 10_000;

export interface StartWatchOptions {
  readonly world: Pick<World, "after" | "monotonicMs">;
  readonly log: Log;
  inspect(id: string): Promise<EngineContainer | undefined>;
  /** It has a process. */
  started(container: EngineContainer): void;
  /** It could not be found out; somebody has to look again. */
  missed(id: string): void;
}

interface Waiting {
  readonly end: AbortController;
  isTaken: boolean;
}

/** Containers that were told to have started, until each has a process or has ended. */
export class StartWatch {
  readonly #options: StartWatchOptions;
  /** In the order in which they came; a start after another one is one of its own. */
  readonly #waiting = new Map<string, Waiting>();
  #inspections = 0;

  constructor(options: StartWatchOptions) {
    this.#options = options;
  }

  begin(id: string): void {
    this.cancel(id);
    if (this.#waiting.size >= waitingMax) {
      this.#options.missed(id);
      return;
    }
    this.#waiting.set(id, { end: new AbortController(), isTaken: false });
    this.#next();
  }

  /** It has ended, and nothing is told of that start. */
  cancel(id: string): void {
    this.#waiting.get(id)?.end.abort();
    this.#waiting.delete(id);
  }

  /** Whoever waits has to be found again. */
  giveUp(): void {
    for (const id of [...this.#waiting.keys()]) {
      this.cancel(id);
      this.#options.missed(id);
    }
  }

  /** Takes up those that wait, as many as may be. */
  #next(): void {
    for (const [id, waiting] of this.#waiting) {
      if (this.#inspections >= inspectionsMax) return;
      if (waiting.isTaken) continue;
      waiting.isTaken = true;
      this.#inspections++;
      void this.#inspect(id, waiting.end.signal).finally(() => {
        this.#inspections--;
        if (this.#waiting.get(id) === waiting) this.#waiting.delete(id);
        this.#next();
      });
    }
  }

  async #inspect(id: string, signal: AbortSignal): Promise<void> {
    const { world, log } = this.#options;
    const untilMs = world.monotonicMs() + inspectWaitMs;
    try {
      while (!signal.aborted && world.monotonicMs() < untilMs) {
        const container = await this.#options.inspect(id);
        // Of one that is gone by now there has been an event, or will be.
        if (signal.aborted || container === undefined) return;
        if (container.pid !== 0) return this.#options.started(container);
        await pause(world, inspectPeriodMs, signal);
      }
    } catch (error) {
      log.debug(`container ${id} cannot be looked at: ${errorText(error)}`);
    }
    if (!signal.aborted) this.#options.missed(id);
  }
}
