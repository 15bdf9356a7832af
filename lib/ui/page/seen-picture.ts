import { withChange } from "../../api/json-change.ts";
import { type KeyedPicture, plainPicture } from "../../api/keyed-picture.ts";
import type { PictureNews } from "../../api/picture-log.ts";
import type { Picture } from "../../api/picture-models.ts";

/** The picture that a page has, kept up to date by what it is told has changed. */
export class SeenPicture {
  #version = "";
  #keyed: KeyedPicture | undefined;
  #picture: Picture | undefined;

  /** To ask for what has changed since; empty before the first picture. */
  get version(): string {
    return this.#version;
  }

  /** The picture as it is now: the same object where nothing has changed, so that nothing is placed anew. */
  take(news: PictureNews): Picture {
    const before = this.#keyed;
    const keyed = "picture" in news ? news.picture : news.changes.reduce(withChange, before!);
    if (keyed !== before || this.#picture === undefined) this.#picture = plainPicture(keyed);
    this.#keyed = keyed;
    this.#version = news.version;
    return this.#picture;
  }
}
