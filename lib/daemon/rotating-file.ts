import { closeSync, fstatSync, openSync, renameSync, writeSync } from "node:fs";

/** Appends to a file that is for root alone; before it grows past a bound it is renamed to `.1`. */
export class RotatingFile implements Disposable {
  readonly #path: string;
  readonly #bytesMax: number;
  #descriptor: number;
  #size: number;

  /** @param bytesMax of each of the two files, but for the last line */
  constructor(path: string, bytesMax: number) {
    this.#path = path;
    this.#bytesMax = bytesMax;
    this.#descriptor = openSync(path, "a", 0o600);
    this.#size = fstatSync(this.#descriptor).size;
  }

  write(line: string): void {
    if (this.#size > this.#bytesMax) this.#rotate();
    this.#size += writeSync(this.#descriptor, line);
  }

  #rotate(): void {
    closeSync(this.#descriptor);
    renameSync(this.#path, formerFile(this.#path));
    this.#descriptor = openSync(this.#path, "a", 0o600);
    this.#size = 0;
  }

  [Symbol.dispose](): void {
    closeSync(this.#descriptor);
  }
}

/** Where the lines before those in the file are. */
export function formerFile(path: string): string {
  return `${path}.1`;
}
