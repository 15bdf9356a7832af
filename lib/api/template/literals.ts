import { fromBytes, toBytes } from "./go-text.ts";

/**
 * Go's literals. Each function gives `undefined` for what is none.
 */

/** `"a\tb"` or `` `raw` ``. Escaped bytes that are not UTF-8 become U+FFFD. */
export function unquote(written: string): string | undefined {
  const inner = written.slice(1, -1);
  if (written.startsWith("`")) return inner.replaceAll("\r", "");
  const parts: Uint8Array[] = [];
  for (let at = 0; at < inner.length; ) {
    const part = unescapeAt(inner, at, '"');
    if (part === undefined) return undefined;
    parts.push(part.bytes);
    at += part.length;
  }
  return fromBytes(joined(parts));
}

/** `'a'`: the number of the character; `"long"` where there are more. */
export function unquoteCharacter(written: string): number | "long" | undefined {
  const inner = written.slice(1, -1);
  const part = inner === "" ? undefined : unescapeAt(inner, 0, "'");
  return part === undefined || part.length === inner.length ? part?.code : "long";
}

interface Unescaped {
  /** Characters of the literal. */
  readonly length: number;
  readonly bytes: Uint8Array;
  readonly code: number;
}

const shortEscapes: Readonly<Record<string, number>> = {
  a: 7,
  b: 8,
  f: 12,
  n: 10,
  r: 13,
  t: 9,
  v: 11,
  "\\": 92,
};

/** The run of plain characters, or the escape, at `at`. */
function unescapeAt(text: string, at: number, delimiter: string): Unescaped | undefined {
  const character = String.fromCodePoint(text.codePointAt(at) ?? 0);
  if (character !== "\\") return rune(character.codePointAt(0)!, character.length);
  const letter = text[at + 1] ?? "";
  if (letter === delimiter) return rune(letter.charCodeAt(0), 2);
  const short = shortEscapes[letter];
  if (short !== undefined) return rune(short, 2);
  const found = /^(?:x([0-9a-fA-F]{2})|([0-7]{3})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8}))/.exec(
    text.slice(at + 1, at + 10),
  );
  if (found === null) return undefined;
  const [sequence, byteHex, byteOctal, shortHex, longHex] = found;
  const length = 1 + sequence.length;
  if (byteHex !== undefined || byteOctal !== undefined) {
    const byte =
      byteHex === undefined ? Number.parseInt(byteOctal!, 8) : Number.parseInt(byteHex, 16);
    return byte > 255 ? undefined : { length, bytes: Uint8Array.of(byte), code: byte };
  }
  const code = Number.parseInt(shortHex ?? longHex!, 16);
  const valid = code <= 0x10ffff && !(code >= 0xd800 && code <= 0xdfff);
  return valid ? rune(code, length) : undefined;
}

function rune(code: number, length: number): Unescaped {
  return { length, bytes: toBytes(String.fromCodePoint(code)), code };
}

function joined(parts: readonly Uint8Array[]): Uint8Array {
  const bytes = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}

/** `10`, `0x1F`, `0b11`, `0o17`, `017`, `1_000`, each with a sign; of any size. */
export function wholeNumber(written: string): bigint | undefined {
  const found = /^([+-]?)(0[xX][0-9a-fA-F_]+|0[bB][01_]+|0[oO][0-7_]+|0[0-7_]*|[1-9][0-9_]*)$/.exec(
    written,
  );
  if (found === null) return undefined;
  const [, sign, digits = ""] = found;
  if (!separatesWell(digits)) return undefined;
  const bare = digits.replaceAll("_", "").replace(/^0([0-7])/, "0o$1");
  const value = BigInt(bare);
  return sign === "-" ? -value : value;
}

/** `1.5`, `1e3`, `0x1p-2`, `08`; too large is none. */
export function floatNumber(written: string): number | undefined {
  const found = /^([+-]?)(.*)$/.exec(written)!;
  const magnitude = /^0[xX]/.test(found[2]!) ? hexFloat(found[2]!) : decimalFloat(found[2]!);
  if (magnitude === undefined || !Number.isFinite(magnitude)) return undefined;
  return found[1] === "-" ? -magnitude : magnitude;
}

function decimalFloat(digits: string): number | undefined {
  // An underscore stands between digits.
  const bare = digits.replace(/(?<=[0-9])_(?=[0-9])/g, "");
  return /^(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?$/.test(bare) ? Number(bare) : undefined;
}

function hexFloat(digits: string): number | undefined {
  const found = /^0[xX]([0-9a-fA-F_]*)(?:\.([0-9a-fA-F_]*))?[pP]([+-]?[0-9]+)$/.exec(digits);
  if (found === null || !separatesWell(digits)) return undefined;
  const [, whole = "", fraction = "", power] = found;
  const mantissa = (whole + fraction).replaceAll("_", "");
  if (mantissa === "") return undefined;
  const places = fraction.replaceAll("_", "").length;
  return Number(BigInt(`0x${mantissa}`)) * 2 ** (Number(power) - 4 * places);
}

/** An underscore stands between digits, or between the prefix and a digit. */
function separatesWell(digits: string): boolean {
  const bare = digits.replace(/^0[xXbBoO]/, "0");
  return !/^_|_$|__|_[^0-9a-fA-F]|[^0-9a-fA-F]_/.test(bare);
}
