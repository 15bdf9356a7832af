import { closeSync, fstatSync, openSync, readSync, writeSync } from "node:fs";
import { utf8 } from "../base/bytes.ts";

const lineFeed = utf8("\n");

/**
 * Lines that are appended to a file, which is for root alone. One that was cut, by a disk that is full
 * or a failure of power, is ended before the next, so that it takes no other with it.
 */
export class LineFile implements Disposable {
  readonly inode: number;
  readonly device: number;
  readonly #descriptor: number;
  #size: number;
  #isCut: boolean;

  /** @throws Error when it cannot be opened, or is a pipe, a device or the like */
  constructor(path: string) {
    // Also for reading: a pipe is opened like this without waiting for its other end.
    this.#descriptor = openSync(path, "a+", 0o600);
    try {
      const found = fstatSync(this.#descriptor);
      if (!found.isFile()) throw new Error("what is there is no file");
      ({ ino: this.inode, dev: this.device, size: this.#size } = found);
      this.#isCut = found.size > 0 && !endsWithLine(this.#descriptor, found.size);
    } catch (error) {
      closeSync(this.#descriptor);
      throw error;
    }
  }

  /** Octets, as far as nobody else writes to it. */
  get size(): number {
    return this.#size;
  }

  /** @param line with its line feed. @throws Error when not all of it is written */
  write(line: string): void {
    if (this.#isCut) this.#append(lineFeed);
    this.#append(utf8(line));
  }

  #append(bytes: Uint8Array): void {
    for (let at = 0; at < bytes.length; ) {
      const count = writeSync(this.#descriptor, bytes, at);
      at += count;
      this.#size += count;
      this.#isCut = at < bytes.length;
    }
  }

  [Symbol.dispose](): void {
    closeSync(this.#descriptor);
  }
}

function endsWithLine(descriptor: number, size: number): boolean {
  const last = new Uint8Array(1);
  readSync(descriptor, last, 0, 1, size - 1);
  return last[0] === lineFeed[0];
}
