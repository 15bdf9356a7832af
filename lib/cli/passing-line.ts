import { forOneLine } from "./for-terminal.ts";
import { clip } from "./terminal/fit.ts";

/** To the first column, and nothing from there on (ECMA-48: CR, ED 0). */
const erase = "\r\u001b[J";

type Write = (octets: string) => void;

/** A line at the bottom of a terminal that goes when anything else is written there. */
export class PassingLine {
  #write: Write | undefined;

  /** @param columns of the terminal; a line that took two rows could not be removed as one */
  show(line: string | undefined, columns: number, write: Write): void {
    this.remove();
    if (line === undefined) return;
    this.#write = write;
    write(erase + clip(forOneLine(line), columns - 1, "..."));
  }

  /** Nothing where there is none. */
  remove(): void {
    this.#write?.(erase);
    this.#write = undefined;
  }
}
