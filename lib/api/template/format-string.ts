import { type Format, pad } from "./format.ts";
import { firstRunes, quote, toBytes } from "./go-text.ts";
import { type BoundedText, workPerCharacter } from "./limits.ts";

/** Prints a string; false for a verb that does not go with one. */
export function formatString(out: BoundedText, text: string, format: Format): boolean {
  switch (format.verb) {
    case "v":
      if (format.source) formatQuoted(out, text, format);
      else formatText(out, text, format);
      return true;
    case "s":
      formatText(out, text, format);
      return true;
    case "q":
      formatQuoted(out, text, format);
      return true;
    case "x":
    case "X":
      formatHex(out, text, format);
      return true;
    default:
      return false;
  }
}

export function formatText(out: BoundedText, text: string, format: Format): void {
  pad(out, truncated(text, format), format);
}

function truncated(text: string, { precision }: Format): string {
  return precision === undefined ? text : firstRunes(text, precision);
}

function formatQuoted(out: BoundedText, text: string, format: Format): void {
  out.spend(workPerCharacter * text.length);
  const shown = truncated(text, format);
  const raw = format.sharp && canBackquote(shown);
  pad(out, raw ? `\`${shown}\`` : quote(shown, { ascii: format.plus }), format);
}

/** Whether the text can stand between backquotes, on one line. */
function canBackquote(text: string): boolean {
  return [...text].every(
    (character) =>
      character === "\t" || (character >= " " && !["`", "\x7f", "\ufeff"].includes(character)),
  );
}

/** `%x`, `% x`, `%#x`; the precision counts bytes. */
function formatHex(out: BoundedText, text: string, format: Format): void {
  out.spend(workPerCharacter * text.length);
  const bytes = toBytes(text).subarray(0, format.precision);
  const prefix = format.sharp ? `0${format.verb}` : "";
  const pairs = Array.from(bytes, (byte) => {
    const pair = byte.toString(16).padStart(2, "0");
    return format.verb === "X" ? pair.toUpperCase() : pair;
  });
  const between = format.space ? ` ${prefix}` : "";
  pad(out, pairs.length === 0 ? "" : prefix + pairs.join(between), format);
}
