import { painted } from "../findings-text.ts";
import { forOneLine } from "../for-terminal.ts";

/** What a piece of text is to who looks at it; a terminal that shows colours shows it by one. */
export type Tone = "strong" | "faint" | "good" | "warning" | "bad" | "accent" | "chosen";

/** SGR parameters (ECMA-48, 8.3.117). */
const parameters: Readonly<Record<Tone, number>> = {
  strong: 1,
  faint: 2,
  good: 32,
  warning: 33,
  bad: 31,
  accent: 36,
  chosen: 7,
};

/** A piece of one line; made by {@link span}. */
export interface Span {
  readonly text: string;
  readonly tone?: Tone | undefined;
}

export type Line = readonly Span[];

/** Whatever the text is, and whoever it is from. */
export function span(text: string, tone?: Tone): Span {
  return { text: forOneLine(text), tone };
}

/** The line as a terminal gets it; without colours, as a file does. */
export function lineText(line: Line, isColoured: boolean): string {
  return line
    .map(({ text, tone }) =>
      painted(text, isColoured && tone !== undefined ? parameters[tone] : undefined),
    )
    .join("");
}
