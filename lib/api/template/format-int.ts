import { type Format, pad } from "./format.ts";
import { isPrintable, quoteRune, runeText } from "./go-text.ts";
import type { IntValue } from "./go-value.ts";
import type { BoundedText } from "./limits.ts";

/** Prints a whole number; false for a verb that does not go with one. */
export function formatInt(out: BoundedText, { int, type }: IntValue, format: Format): boolean {
  switch (format.verb) {
    case "v":
      if (format.source && type.unsigned) {
        formatDigits(out, int, { ...format, sharp: true }, { radix: 16, prefix: "0x" });
        return true;
      }
      formatDigits(out, int, format, { radix: 10 });
      return true;
    case "d":
      formatDigits(out, int, format, { radix: 10 });
      return true;
    case "b":
      formatDigits(out, int, format, { radix: 2, prefix: format.sharp ? "0b" : "" });
      return true;
    case "o":
      formatDigits(out, int, format, { radix: 8, prefix: format.sharp ? "0" : "" });
      return true;
    case "O":
      formatDigits(out, int, format, { radix: 8, prefix: format.sharp ? "0o0" : "0o" });
      return true;
    case "x":
      formatDigits(out, int, format, { radix: 16, prefix: format.sharp ? "0x" : "" });
      return true;
    case "X":
      formatDigits(out, int, format, { radix: 16, prefix: format.sharp ? "0X" : "", upper: true });
      return true;
    case "c":
      pad(out, runeText(int), format);
      return true;
    case "q":
      pad(out, quoteRune(int, { ascii: format.plus }), format);
      return true;
    case "U":
      formatUnicode(out, int, format);
      return true;
    default:
      return false;
  }
}

function formatDigits(
  out: BoundedText,
  int: bigint,
  format: Format,
  { radix, prefix = "", upper = false }: { radix: number; prefix?: string; upper?: boolean },
): void {
  // A precision of nought prints nought as nothing.
  if (format.precision === 0 && int === 0n) {
    pad(out, "", { ...format, zero: false });
    return;
  }
  const sign = int < 0n ? "-" : format.plus ? "+" : format.space ? " " : "";
  const filled = format.zero && format.precision === undefined ? (format.width ?? 0) : 0;
  // Zeroes fill the width up beside the sign, but a prefix comes on top, as in C.
  const digitsMin = filled === 0 ? (format.precision ?? 0) : filled - sign.length;
  const digits = (int < 0n ? -int : int).toString(radix).padStart(digitsMin, "0");
  const text = sign + octalLead(prefix, digits) + (upper ? digits.toUpperCase() : digits);
  pad(out, text, { ...format, zero: false });
}

/** The nought that marks an octal number is not added to one that begins with a nought. */
function octalLead(prefix: string, digits: string): string {
  if (!digits.startsWith("0")) return prefix;
  if (prefix === "0") return "";
  return prefix === "0o0" ? "0o" : prefix;
}

/** `U+0041`, and with `#` the character too. */
function formatUnicode(out: BoundedText, int: bigint, format: Format): void {
  const code = BigInt.asUintN(64, int);
  const character = runeText(code);
  const shown = format.sharp && code <= 0x10ffffn && isPrintable(character);
  const digits = code
    .toString(16)
    .toUpperCase()
    .padStart(Math.max(4, format.precision ?? 4), "0");
  pad(out, `U+${digits}${shown ? ` '${character}'` : ""}`, { ...format, zero: false });
}
