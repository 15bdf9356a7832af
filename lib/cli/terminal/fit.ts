import type { Line, Span } from "./spans.ts";

/** Text and columns of a terminal: some characters take two, some none (Unicode, annexes 11 and 29). */
let segmenter: Intl.Segmenter | undefined;

/** Made when the first text is cut: it takes longer than most commands. */
function graphemes(text: string): Iterable<{ readonly segment: string }> {
  segmenter ??= new Intl.Segmenter(undefined, { granularity: "grapheme" });
  return segmenter.segment(text);
}

/** How many columns a text takes. */
export function widthOf(text: string): number {
  return Bun.stringWidth(text);
}

/** The text, or as much of its beginning as leaves room for `ellipsis` within so many columns. */
export function clip(text: string, columns: number, ellipsis: string): string {
  if (widthOf(text) <= columns) return text;
  const room = columns - widthOf(ellipsis);
  if (room < 0) return "";
  let kept = "";
  let width = 0;
  for (const { segment } of graphemes(text)) {
    width += widthOf(segment);
    if (width > room) break;
    kept += segment;
  }
  return kept + ellipsis;
}

/** The text in exactly so many columns. */
export function fitText(text: string, columns: number, ellipsis: string, isRight = false): string {
  const clipped = clip(text, columns, ellipsis);
  const blanks = " ".repeat(Math.max(0, columns - widthOf(clipped)));
  return isRight ? blanks + clipped : clipped + blanks;
}

export function lineWidth(line: Line): number {
  return line.reduce((sum, { text }) => sum + widthOf(text), 0);
}

/** The line within so many columns. */
export function clipLine(line: Line, columns: number, ellipsis: string): Line {
  const kept: Span[] = [];
  let left = columns;
  for (const { text, tone } of line) {
    const width = widthOf(text);
    kept.push({ text: clip(text, left, ellipsis), tone });
    left -= width;
    if (left < 0) break;
  }
  return kept;
}
