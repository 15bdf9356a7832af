import type { Cancel, World } from "./world.ts";

/**
 * A time within which things that happen are taken together. Most of them come in bursts: as long
 * as something came, each window is twice as long as the one before.
 *
 *   closed ──open──▶ first ──over, something came──▶ twice as long ──…──▶ longest
 *      ▲───────────────┴─────── over, nothing came ──────┴─────────────────┘
 */
export class GrowingWindow {
  readonly #world: Pick<World, "after">;
  readonly #firstMs: number;
  readonly #longestMs: number;
  readonly #over: () => boolean;
  #cancel: Cancel | undefined;

  /** `over` deals with what came in a window, and says whether anything did. */
  constructor(
    world: Pick<World, "after">,
    bounds: { readonly firstMs: number; readonly longestMs: number },
    over: () => boolean,
  ) {
    this.#world = world;
    this.#firstMs = bounds.firstMs;
    this.#longestMs = bounds.longestMs;
    this.#over = over;
  }

  /** Whether one has begun and not ended without anything. */
  get isOpen(): boolean {
    return this.#cancel !== undefined;
  }

  /** Begins with a first window; nothing happens while one is open. */
  open(): void {
    if (!this.isOpen) this.#last(this.#firstMs);
  }

  stop(): void {
    this.#cancel?.();
    this.#cancel = undefined;
  }

  #last(durationMs: number): void {
    // The next window begins before the last one is dealt with: what that causes belongs to it.
    this.#cancel = this.#world.after(durationMs, () => {
      this.#last(Math.min(2 * durationMs, this.#longestMs));
      if (!this.#over()) this.stop();
    });
  }
}
