import { type Decimal, exactDecimal, roundDecimal, shortestDecimal } from "./decimal.ts";
import { type Format, pad } from "./format.ts";
import { type BoundedText, workPerCharacter } from "./limits.ts";

/**
 * Prints a float; false for a verb that does not go with one. Of Go's, `%b`, `%x` and the flag `#`
 * are left out: a report holds no floats. JavaScript's own `toFixed` would round halves up where Go
 * rounds them to even, and stops at 100 digits.
 */
export function formatFloat(out: BoundedText, float: number, format: Format): boolean {
  const verb = format.verb === "v" ? "g" : format.verb;
  if (!["e", "E", "f", "F", "g", "G"].includes(verb)) return false;
  const negative = float < 0 || Object.is(float, -0);
  const sign = negative ? "-" : format.plus ? "+" : format.space ? " " : "";
  if (!Number.isFinite(float)) {
    pad(out, Number.isNaN(float) ? "NaN" : `${sign || "+"}Inf`, { ...format, zero: false });
    return true;
  }
  const body = formatDecimal(out, Math.abs(float), verb, format.precision);
  if (format.zero && format.width !== undefined) {
    out.write(sign);
    pad(out, body, { ...format, width: format.width - sign.length });
  } else {
    pad(out, sign + body, format);
  }
  return true;
}

function formatDecimal(
  out: BoundedText,
  float: number,
  verb: string,
  precision: number | undefined,
): string {
  const general = verb === "g" || verb === "G";
  if (general && precision === undefined) {
    const decimal = shortestDecimal(float);
    return generalNotation(decimal, verb, { exponentMin: 6, digits: decimal.digits.length });
  }
  const exact = exactDecimal(float);
  out.spend(workPerCharacter * exact.digits.length);
  const places = precision ?? 6;
  if (verb === "e" || verb === "E")
    return exponential(roundDecimal(exact, places + 1), places, verb);
  if (!general) return positional(roundDecimal(exact, exact.point + places), places);
  const digits = Math.max(1, places);
  const decimal = roundDecimal(exact, digits);
  // Notation with an exponent begins where the digits asked for end.
  const exponentMin =
    digits > decimal.digits.length && decimal.digits.length >= decimal.point
      ? decimal.digits.length
      : digits;
  return generalNotation(decimal, verb, { exponentMin, digits: decimal.digits.length });
}

/** `%g`: positional for numbers of usual size. */
function generalNotation(
  decimal: Decimal,
  verb: string,
  { exponentMin, digits }: { exponentMin: number; digits: number },
): string {
  const exponent = decimal.digits === "" ? 0 : decimal.point - 1;
  if (exponent < -4 || exponent >= exponentMin) {
    return exponential(decimal, Math.max(0, digits - 1), verb === "g" ? "e" : "E");
  }
  return positional(decimal, Math.max(0, digits - decimal.point));
}

function positional({ digits, point }: Decimal, places: number): string {
  const whole = point > 0 ? digits.slice(0, point).padEnd(point, "0") : "0";
  if (places === 0) return whole;
  const fraction =
    "0".repeat(Math.min(places, Math.max(0, -point))) + digits.slice(Math.max(0, point));
  return `${whole}.${fraction.padEnd(places, "0").slice(0, places)}`;
}

/** At least two digits of exponent. */
function exponential({ digits, point }: Decimal, places: number, letter: string): string {
  const exponent = digits === "" ? 0 : point - 1;
  const fraction = digits.slice(1).padEnd(places, "0");
  const sign = exponent < 0 ? "-" : "+";
  const power = String(Math.abs(exponent)).padStart(2, "0");
  return `${digits[0] ?? "0"}${places > 0 ? `.${fraction}` : ""}${letter}${sign}${power}`;
}
