import { windowBits } from "./sequence.ts";

/**
 * Which sequence numbers of one stream have been used (sleeve §10.3).
 *
 *            previous window          current window
 *   ···──┬──────────────────────┬──────────────────────┬──···
 *  too   │ 1 1 1 0 1 1 1 ··· 1  │ 1 1 0 1 0 0 ··· 0 0  │  a later one: move, forgetting what
 *  old   └──────────────────────┴──────────────────────┘  falls out on the left
 *          2^20 numbers each
 *
 * Only authenticated datagrams may come here, or a forged number would push the window away from
 * the real ones. The bitmaps are made page by page as numbers are used, so that an idle link
 * costs a few kilobytes and a busy one at most 256.
 */
const pageBits = 15;
const pagesPerWindow = 2 ** (windowBits - pageBits);

class UsedNumbers {
  readonly #pages: (Uint32Array | undefined)[] = new Array(pagesPerWindow).fill(undefined);

  /** False when `offset` was marked before. */
  mark(offset: number): boolean {
    const index = offset >>> pageBits;
    let page = this.#pages[index];
    if (page === undefined) {
      page = new Uint32Array(2 ** pageBits / 32);
      this.#pages[index] = page;
    }
    const word = (offset >>> 5) & (2 ** pageBits / 32 - 1);
    const bit = 1 << (offset & 31);
    if ((page[word]! & bit) !== 0) return false;
    page[word]! |= bit;
    return true;
  }

  clear(): void {
    this.#pages.fill(undefined);
  }
}

export class ReplayWindow {
  #window = 0;
  #current = new UsedNumbers();
  #previous = new UsedNumbers();

  /** Accepts each number once. `window` and `offset` are the two parts of the number. */
  accept(window: number, offset: number): boolean {
    const ahead = window - this.#window;
    if (ahead < -1) return false;
    if (ahead === -1) return this.#previous.mark(offset);
    if (ahead > 0) this.#advance(ahead, window);
    return this.#current.mark(offset);
  }

  #advance(ahead: number, window: number): void {
    const old = this.#previous;
    this.#previous = this.#current;
    this.#current = old;
    this.#current.clear();
    if (ahead > 1) this.#previous.clear();
    this.#window = window;
  }
}
