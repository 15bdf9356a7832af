/**
 * Strings as Go sees them: bytes of UTF-8 that are counted, cut and ordered as bytes. A cut through
 * a character leaves U+FFFD, because an answer is valid UTF-8.
 */
const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { ignoreBOM: true });

export function toBytes(text: string): Uint8Array {
  return encoder.encode(text);
}

export function fromBytes(bytes: Uint8Array): string {
  return decoder.decode(bytes);
}

export function byteLength(text: string): number {
  let length = text.length;
  for (let at = 0; at < text.length; at++) {
    const unit = text.charCodeAt(at);
    // Two units of a pair are four bytes.
    if (unit >= 0x80) length += unit < 0x800 || (unit & 0xf800) === 0xd800 ? 1 : 2;
  }
  return length;
}

export function runeCount(text: string): number {
  let count = text.length;
  for (let at = 0; at < text.length; at++) {
    if ((text.charCodeAt(at) & 0xfc00) === 0xdc00) count--;
  }
  return count;
}

/** The first `count` characters. */
export function firstRunes(text: string, count: number): string {
  if (text.length <= count) return text;
  let at = 0;
  for (let rune = 0; rune < count && at < text.length; rune++) {
    at += (text.codePointAt(at) ?? 0) > 0xffff ? 2 : 1;
  }
  return text.slice(0, at);
}

/** By bytes of UTF-8, which is by code points: unlike `<`, which puts U+FF00 after U+10000. */
export function compareText(a: string, b: string): number {
  const length = Math.min(a.length, b.length);
  for (let at = 0; at < length; at++) {
    if (a.charCodeAt(at) === b.charCodeAt(at)) continue;
    return a.codePointAt(at)! - b.codePointAt(at)!;
  }
  return a.length - b.length;
}

/** Go's `unicode.IsPrint`. */
export function isPrintable(character: string): boolean {
  return /^[\p{L}\p{M}\p{N}\p{P}\p{S} ]$/u.test(character);
}

/** Go's `strconv.Quote`. */
export function quote(text: string, options: { readonly ascii?: boolean } = {}): string {
  return `"${escaped(text, '"', options.ascii === true)}"`;
}

/** Go's `strconv.QuoteRune`. */
export function quoteRune(code: bigint, options: { readonly ascii?: boolean } = {}): string {
  return `'${escaped(runeText(code), "'", options.ascii === true)}'`;
}

/** The character of a number; U+FFFD for what is none. */
export function runeText(code: bigint): string {
  const none = code < 0n || code > 0x10ffffn || (code >= 0xd800n && code <= 0xdfffn);
  return String.fromCodePoint(none ? 0xfffd : Number(code));
}

const shortEscapes: Readonly<Record<string, string>> = {
  "\x07": "\\a",
  "\b": "\\b",
  "\f": "\\f",
  "\n": "\\n",
  "\r": "\\r",
  "\t": "\\t",
  "\v": "\\v",
  "\\": "\\\\",
};

function escaped(text: string, delimiter: string, ascii: boolean): string {
  let result = "";
  for (const character of text) {
    const code = character.codePointAt(0)!;
    if (character === delimiter) result += `\\${character}`;
    else if (shortEscapes[character] !== undefined) result += shortEscapes[character];
    else if (code < 0x20 || code === 0x7f) result += `\\x${hex(code, 2)}`;
    else if (isPrintable(character) && !(ascii && code > 0x7f)) result += character;
    else result += code > 0xffff ? `\\U${hex(code, 8)}` : `\\u${hex(code, 4)}`;
  }
  return result;
}

function hex(code: number, digits: number): string {
  return code.toString(16).padStart(digits, "0");
}
