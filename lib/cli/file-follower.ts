import { closeSync, fstatSync, openSync, readSync } from "node:fs";

/** Reads a growing file piece by piece, also across its replacement by a new one. */
export class FileFollower {
  readonly #path: string;
  readonly #decoder = new TextDecoder();
  #inode = 0;
  #offset = 0;

  constructor(path: string) {
    this.#path = path;
  }

  /** What was written since the last call; `undefined` when there is no file. */
  readNew(): string | undefined {
    let descriptor: number;
    try {
      descriptor = openSync(this.#path, "r");
    } catch {
      return undefined;
    }
    try {
      const { ino, size } = fstatSync(descriptor);
      if (ino !== this.#inode || size < this.#offset) this.#offset = 0;
      this.#inode = ino;
      const bytes = new Uint8Array(size - this.#offset);
      const count = readSync(descriptor, bytes, 0, bytes.length, this.#offset);
      this.#offset += count;
      return this.#decoder.decode(bytes.subarray(0, count), { stream: true });
    } finally {
      closeSync(descriptor);
    }
  }
}
