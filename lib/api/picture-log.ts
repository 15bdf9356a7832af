import { toHex } from "../base/bytes.ts";
import type { Cancel, World } from "../base/world.ts";
import { type Change, changeBetween } from "./json-change.ts";
import { type KeyedPicture, keyedPicture } from "./keyed-picture.ts";
import type { Picture } from "./picture-models.ts";

/** What a page that says which picture it has is answered: all, or what has changed since. */
export type PictureNews = { readonly version: string } & (
  | { readonly picture: KeyedPicture }
  | { readonly changes: readonly Change[] }
);

/** Changes that are kept: several pages that look in turns each want a few. */
export const changesMax = 64;

/** Characters of all of them; the latest, without which nobody could follow, may have more. */
export const changeCharsMax = 4 << 20;

/** Nobody asks for so long: there is no page any more. */
export const forgetMs = 60_000;

/**
 * The latest picture, and the last changes that led to it, for any number of pages:
 *
 *   version   …41   …42   …43 ── the latest picture
 *                 │     └─ change ◀─ a page that has …42 is told this one,
 *                 └─ change ◀─────── one that has …41 both,
 *   and one that is further behind, or has another router's, the picture
 *
 * Pages are not known here: who comes late is told all, and while nobody asks nothing is kept.
 */
export class PictureLog {
  readonly #world: Pick<World, "after">;
  /** Of this log and no other: a router that was started anew has none of the former's pictures. */
  readonly #epoch: string;
  #number = 0;
  #latest: KeyedPicture | undefined;
  /** The latest last, which leads to the latest picture. */
  #changes: string[] = [];
  #cancel: Cancel | undefined;

  constructor(world: Pick<World, "after" | "random">) {
    this.#world = world;
    this.#epoch = toHex(world.random.fill(new Uint8Array(8)));
  }

  /**
   * Takes in the picture as it is now.
   *
   * @param since the version that who asks has; any other text for none
   * @returns {@link PictureNews} as JSON
   */
  news(picture: Picture, since: string): string {
    const latest = this.#take(keyedPicture(picture));
    this.#cancel?.();
    this.#cancel = this.#world.after(forgetMs, () => this.forget());
    const version = JSON.stringify(this.#versionOf(this.#number));
    const changes = this.#changesSince(since);
    return changes === undefined
      ? `{"version":${version},"picture":${JSON.stringify(latest)}}`
      : `{"version":${version},"changes":[${changes.join(",")}]}`;
  }

  #take(next: KeyedPicture): KeyedPicture {
    const change = this.#latest && changeBetween(this.#latest, next);
    if (this.#latest === undefined) this.#number++;
    if (change !== undefined) {
      this.#number++;
      this.#changes.push(JSON.stringify(change));
      this.#shorten();
    }
    this.#latest = next;
    return next;
  }

  #changesSince(version: string): readonly string[] | undefined {
    const oldest = this.#number - this.#changes.length;
    for (let number = this.#number; number >= oldest; number--) {
      if (version === this.#versionOf(number)) return this.#changes.slice(number - oldest);
    }
    return undefined;
  }

  #versionOf(number: number): string {
    return `${this.#epoch}.${number}`;
  }

  #shorten(): void {
    let chars = this.#changes.reduce((sum, { length }) => sum + length, 0);
    while (
      this.#changes.length > 1 &&
      (this.#changes.length > changesMax || chars > changeCharsMax)
    ) {
      chars -= this.#changes.shift()!.length;
    }
  }

  /** Keeps nothing any more, until somebody asks. */
  forget(): void {
    this.#cancel?.();
    this.#latest = undefined;
    this.#changes = [];
  }
}
