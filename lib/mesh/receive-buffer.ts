import { emptyBytes } from "../base/bytes.ts";

const smallestBytes = 4096;
/** An empty buffer larger than this is given back: what a burst took is not kept for each link. */
const idleMaxBytes = smallestBytes;

/**
 * Octets that have arrived and are not yet read, in one piece of memory.
 *
 *   ┌──────────┬─────────────────┬────────┐
 *   │ was read │ length          │ free   │   grows by doubling, moves to the front when at
 *   └──────────┴─────────────────┴────────┘   least half is free: linear in what arrives, however
 *              from              to           small the pieces are
 *
 * It holds whatever is pushed: its owner reads between pushes and refuses before it grows too far.
 */
export class ReceiveBuffer {
  #octets: Uint8Array = emptyBytes;
  #from = 0;
  #to = 0;

  /** Octets that can be read. */
  get length(): number {
    return this.#to - this.#from;
  }

  push(chunk: Uint8Array): void {
    if (this.#to + chunk.length > this.#octets.length) this.#makeRoom(chunk.length);
    this.#octets.set(chunk, this.#to);
    this.#to += chunk.length;
  }

  /** At most the next `count` octets, left in place: valid until the next push or take. */
  peek(count: number): Uint8Array {
    return this.#octets.subarray(this.#from, Math.min(this.#from + count, this.#to));
  }

  /** The next `count` octets, no more than there are, in memory of their own. */
  take(count: number): Uint8Array {
    const taken = this.peek(count).slice();
    this.#from += taken.length;
    if (this.#from === this.#to) this.#rewind();
    return taken;
  }

  #rewind(): void {
    this.#from = 0;
    this.#to = 0;
    if (this.#octets.length > idleMaxBytes) this.#octets = emptyBytes;
  }

  #makeRoom(extra: number): void {
    const needed = this.length + extra;
    const unread = this.peek(this.length);
    if (needed > this.#octets.length / 2) {
      this.#octets = new Uint8Array(Math.max(smallestBytes, 2 * needed));
      this.#octets.set(unread);
    } else {
      this.#octets.copyWithin(0, this.#from, this.#to);
    }
    this.#to -= this.#from;
    this.#from = 0;
  }
}
