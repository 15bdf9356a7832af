import { pause } from "../base/pause.ts";
import type { World } from "../base/world.ts";

/** A wait that somebody may cut short, also before it has begun. */
export class Alarm {
  readonly #world: Pick<World, "after">;
  #rung = new AbortController();

  constructor(world: Pick<World, "after">) {
    this.#world = world;
  }

  ring(): void {
    this.#rung.abort();
  }

  /** Resolves after a time, when it was rung since the last wait, or with the signal. */
  async wait(delayMs: number, signal: AbortSignal): Promise<void> {
    await pause(this.#world, delayMs, AbortSignal.any([signal, this.#rung.signal]));
    this.#rung = new AbortController();
  }
}
