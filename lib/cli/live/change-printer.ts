import type { Output } from "../context.ts";
import { lineText, span, type Tone } from "../terminal/spans.ts";
import { changedLines, type MarkedLine } from "./changed-lines.ts";

/** Prints a text again when it has changed, with the time: whole for people, else what is new or gone. */
export class ChangePrinter {
  readonly #output: Output;
  readonly #now: () => Date;
  #shown: readonly string[] | undefined;
  #isMissed = false;

  constructor(output: Output, now: () => Date) {
    this.#output = output;
    this.#now = now;
  }

  show(text: string): void {
    const body = text.replace(/^\n+|\n+$/g, "");
    const lines = body === "" ? [] : body.split("\n");
    const isFirst = this.#shown === undefined;
    const marked = changedLines(this.#shown ?? lines, lines);
    if (this.#isMissed) this.#tell("the router answers again");
    this.#isMissed = false;
    this.#shown = lines;
    if (!isFirst && !marked.some(isMarked)) return;
    if (this.#output.isTerminal === true) this.#printBlock(marked);
    else for (const line of isFirst ? marked : marked.filter(isMarked)) this.#printLine(line);
  }

  /** Once, until there is something to show again. */
  missed(sentence: string): void {
    if (!this.#isMissed) this.#tell(sentence);
    this.#isMissed = true;
  }

  #printBlock(lines: readonly MarkedLine[]): void {
    this.#print(span(this.#time(), "accent"));
    for (const { mark, text } of lines) this.#print(span(`${mark} ${text}`.trimEnd(), tones[mark]));
    this.#print(span(""));
  }

  #printLine({ mark, text }: MarkedLine): void {
    this.#print(span(`${this.#time()} ${mark} ${text}`.trimEnd()));
  }

  #tell(sentence: string): void {
    this.#print(span(`${this.#time()} ! ${sentence}`, "warning"));
  }

  #print(part: ReturnType<typeof span>): void {
    this.#output.write(`${lineText([part], this.#output.isColoured === true)}\n`);
  }

  #time(): string {
    return this.#now()
      .toISOString()
      .replace("T", " ")
      .replace(/\.\d+Z$/, "Z");
  }
}

const tones: Readonly<Record<MarkedLine["mark"], Tone | undefined>> = {
  "+": "good",
  "-": "bad",
  " ": undefined,
};

function isMarked({ mark }: MarkedLine): boolean {
  return mark !== " ";
}
