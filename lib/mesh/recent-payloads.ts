import { sha256 } from "@noble/hashes/sha2.js";
import { toHex } from "../base/bytes.ts";
import type { World } from "../base/world.ts";

interface Sight<T> {
  readonly atMs: number;
  readonly value: T;
}

/**
 * Payloads seen lately under some key, with a value noted at the first sight of each. Only digests
 * are kept, so that size costs no memory; the oldest are forgotten first.
 */
export class RecentPayloads<T> {
  readonly #world: Pick<World, "monotonicMs">;
  readonly #lifetimeMs: number;
  readonly #entriesMax: number;
  /** By key and SHA-256, in order of age. */
  readonly #sights = new Map<string, Sight<T>>();

  constructor(
    world: Pick<World, "monotonicMs">,
    options: { readonly lifetimeMs: number; readonly entriesMax: number },
  ) {
    this.#world = world;
    this.#lifetimeMs = options.lifetimeMs;
    this.#entriesMax = options.entriesMax;
  }

  get size(): number {
    return this.#sights.size;
  }

  /** The value noted when `payload` was last new; notes `value` and returns nothing if it is new. */
  sight(key: string, payload: Uint8Array, value: T): T | undefined {
    this.#forget();
    const id = `${toHex(sha256(payload))} ${key}`;
    const first = this.#sights.get(id);
    if (first === undefined) this.#sights.set(id, { atMs: this.#world.monotonicMs(), value });
    return first?.value;
  }

  #forget(): void {
    const bornAfterMs = this.#world.monotonicMs() - this.#lifetimeMs;
    for (const [id, { atMs }] of this.#sights) {
      if (atMs > bornAfterMs && this.#sights.size < this.#entriesMax) return;
      this.#sights.delete(id);
    }
  }
}
