import type { ContainerEvent } from "./event-lines.ts";

/** What happened to containers while nobody listened, by id. */
export interface MissedEvents {
  readonly started: readonly string[];
  readonly died: readonly string[];
  readonly destroyed: readonly string[];
}

/**
 * What has been told of an engine's containers, to find out what was missed:
 *
 *   told         listed         missed
 *   ─            running        start, unless this is the first list
 *   stopped      running        start
 *   running      stopped        die
 *   either       ─              destroy
 *
 * It holds as much as the engine lists.
 */
export class ContainerStates {
  readonly #running = new Map<string, boolean>();
  #isFirst = true;

  event({ action, id }: ContainerEvent): void {
    if (action === "destroy") this.#running.delete(id);
    else this.#running.set(id, action === "start");
  }

  /** A start that could not be told: the next list tells of it again. */
  untold(id: string): void {
    if (this.#running.has(id)) this.#running.set(id, false);
  }

  /** Takes up a list of all containers, as of now. */
  listed(all: readonly { readonly id: string; readonly running: boolean }[]): MissedEvents {
    const now = new Map(all.map(({ id, running }) => [id, running]));
    const told = this.#isFirst ? [] : [...this.#running];
    const missed: MissedEvents = {
      started: this.#isFirst
        ? []
        : [...now].flatMap(([id, running]) => (running && !this.#running.get(id) ? [id] : [])),
      died: told.flatMap(([id, running]) => (running && now.get(id) === false ? [id] : [])),
      destroyed: told.flatMap(([id]) => (now.has(id) ? [] : [id])),
    };
    this.#isFirst = false;
    this.#running.clear();
    for (const [id, running] of now) this.#running.set(id, running);
    return missed;
  }
}
