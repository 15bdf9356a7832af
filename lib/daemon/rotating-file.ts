import { renameSync } from "node:fs";
import { LineFile } from "./line-file.ts";

/** Appends to a file that is for root alone; before it grows past a bound it is renamed to `.1`. */
export class RotatingFile implements Disposable {
  readonly #path: string;
  readonly #bytesMax: number;
  #file: LineFile;

  /** @param bytesMax of each of the two files, but for the last line */
  constructor(path: string, bytesMax: number) {
    this.#path = path;
    this.#bytesMax = bytesMax;
    this.#file = new LineFile(path);
  }

  /** @throws Error when not all of it is written; the next line may be */
  write(line: string): void {
    if (this.#file.size > this.#bytesMax) this.#rotate();
    this.#file.write(line);
  }

  #rotate(): void {
    renameSync(this.#path, formerFile(this.#path));
    const next = new LineFile(this.#path);
    this.#file[Symbol.dispose]();
    this.#file = next;
  }

  [Symbol.dispose](): void {
    this.#file[Symbol.dispose]();
  }
}

/** Where the lines before those in the file are. */
export function formerFile(path: string): string {
  return `${path}.1`;
}
