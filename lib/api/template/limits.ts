import { WeaveError } from "../../base/errors.ts";

/**
 * `GET /report?format=` runs what anybody on the machine sends, between the packets of a router.
 * Every way in which a template could grow is bounded here; all bounds lie far above a report's use.
 */
export const formatCharsMax = 64 * 1024;
/** Blocks and parentheses within each other, in the text of a template. */
export const nestingMax = 100;
/** Blocks, pipelines and templates within each other, while it runs: a template may call itself. */
export const evaluationDepthMax = 500;
export const outputCharsMax = 16 * 1024 * 1024;
/** A unit is some ten nanoseconds, so that no template holds the router up for much of a second. */
export const workMax = 32 * 1024 * 1024;
/** A node evaluated, a turn of a loop. */
export const workPerStep = 16;
/** A character that is looked at one by one: escaped, quoted, turned into digits. */
export const workPerCharacter = 16;
/** A piece of text written, besides a quarter for each of its characters. */
const workPerPiece = 16;

/** What an evaluation may still do. */
export class Budget {
  #workLeft = workMax;

  /** Call before the work, or after it where only its result tells the amount. */
  spend(work: number): void {
    this.#workLeft -= work;
    if (this.#workLeft < 0) throw limitExceeded("the template takes too long");
  }
}

/** Text under construction, for the output and for every value that a function makes. */
export class BoundedText {
  readonly #budget: Budget;
  #text = "";

  constructor(budget: Budget) {
    this.#budget = budget;
  }

  get text(): string {
    return this.#text;
  }

  /** For work that shows in no text. */
  spend(work: number): void {
    this.#budget.spend(work);
  }

  write(piece: string): void {
    this.#claim(piece.length);
    this.#text += piece;
  }

  /** `times` may be as large as a template says. */
  repeat(piece: string, times: number): void {
    if (times <= 0) return;
    this.#claim(piece.length * times);
    this.#text += piece.repeat(times);
  }

  #claim(chars: number): void {
    if (this.#text.length + chars > outputCharsMax) {
      throw limitExceeded(`a text grows longer than ${outputCharsMax} characters`);
    }
    this.#budget.spend(workPerPiece + chars / 4);
  }
}

export function limitExceeded(sentence: string): WeaveError {
  return new WeaveError("TEMPLATE_LIMIT", sentence, { remedy: "fetch the report as JSON" });
}
