/** Reads lines of UTF-8 text, however it is cut into pieces. */
export class BoundedLines {
  readonly #lineCharactersMax: number;
  readonly #tooLong: () => Error;
  readonly #decoder = new TextDecoder();
  #rest = "";

  /** @param tooLong what is thrown for a line of more characters, the one that has not ended included */
  constructor(lineCharactersMax: number, tooLong: () => Error) {
    this.#lineCharactersMax = lineCharactersMax;
    this.#tooLong = tooLong;
  }

  /** The lines that have ended by now, without their ends. */
  push(chunk: Uint8Array): string[] {
    const lines = (this.#rest + this.#decoder.decode(chunk, { stream: true })).split("\n");
    if (lines.some((line) => line.length > this.#lineCharactersMax)) throw this.#tooLong();
    this.#rest = lines.pop() ?? "";
    return lines;
  }
}
