import type { Environment } from "../parse.ts";

/** The characters that pictures on a terminal are drawn with. */
export interface Glyphs {
  /** In place of what was cut off. */
  readonly ellipsis: string;
  readonly horizontal: string;
  readonly vertical: string;
  /** Of links that do not carry frames. */
  readonly brokenVertical: string;
  /** Where a horizontal line from the left meets one that goes on as the name says. */
  readonly corner: { readonly down: string; readonly up: string; readonly both: string };
  /** The same where the horizontal line goes on. */
  readonly branch: { readonly down: string; readonly up: string; readonly both: string };
  readonly host: string;
  readonly lostHost: string;
  readonly chosen: string;
  readonly problem: string;
  /** From nothing to the most: a sparkline's steps. */
  readonly steps: readonly string[];
}

export const unicodeGlyphs: Glyphs = {
  ellipsis: "…",
  horizontal: "─",
  vertical: "│",
  brokenVertical: "┊",
  corner: { down: "┐", up: "┘", both: "┤" },
  branch: { down: "┬", up: "┴", both: "┼" },
  host: "●",
  lostHost: "○",
  chosen: "▸",
  problem: "▲",
  steps: [" ", "▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"],
};

export const asciiGlyphs: Glyphs = {
  ellipsis: "~",
  horizontal: "-",
  vertical: "|",
  brokenVertical: ":",
  corner: { down: "+", up: "+", both: "+" },
  branch: { down: "+", up: "+", both: "+" },
  host: "*",
  lostHost: "o",
  chosen: ">",
  problem: "!",
  steps: [" ", ".", ":", "-", "=", "+", "*", "#", "@"],
};

/**
 * Those that the locale can write (POSIX, 8.2: the first of these variables that is not empty). Fonts of
 * the Linux console have few of them.
 */
export function glyphsOf({ LC_ALL, LC_CTYPE, LANG, TERM }: Environment): Glyphs {
  const locale = LC_ALL || LC_CTYPE || LANG || "C";
  return /utf-?8/i.test(locale) && TERM !== "linux" ? unicodeGlyphs : asciiGlyphs;
}
