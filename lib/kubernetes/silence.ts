import type { Cancel, World } from "../base/world.ts";
import { kubernetesError } from "./kubernetes-error.ts";

/** Ends a connection on which nothing has been heard for too long. */
export class Silence {
  readonly #world: Pick<World, "after" | "monotonicMs">;
  readonly #maxMs: () => number;
  readonly #end = new AbortController();
  #heardMs: number;
  #limitMs: number;
  #cancel: Cancel;

  constructor(world: Pick<World, "after" | "monotonicMs">, maxMs: () => number) {
    this.#world = world;
    this.#maxMs = maxMs;
    this.#heardMs = world.monotonicMs();
    this.#limitMs = maxMs();
    this.#cancel = world.after(this.#limitMs, () => this.#look());
  }

  get signal(): AbortSignal {
    return this.#end.signal;
  }

  /** The other end has said something. */
  broken(): void {
    this.#heardMs = this.#world.monotonicMs();
    if (this.#maxMs() !== this.#limitMs) this.#look();
  }

  /** From a moment until the other end was heard last. */
  heardAfterMs(beganMs: number): number {
    return this.#heardMs - beganMs;
  }

  /** There when it was silence that ended it. */
  error(): Error | undefined {
    if (!this.#end.signal.aborted) return undefined;
    const seconds = Math.round((this.#world.monotonicMs() - this.#heardMs) / 1000);
    const why = `the Kubernetes API has said nothing for ${seconds} s`;
    return kubernetesError("K8S_UNREACHABLE", why);
  }

  end(): void {
    this.#cancel();
  }

  #look(): void {
    this.#cancel();
    this.#limitMs = this.#maxMs();
    const leftMs = this.#heardMs + this.#limitMs - this.#world.monotonicMs();
    if (leftMs <= 0) this.#end.abort();
    else this.#cancel = this.#world.after(leftMs, () => this.#look());
  }
}
