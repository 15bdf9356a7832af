/**
 * Domain names (RFC 1035 §3.1): labels with a length octet each, ended by the root label.
 *
 *   3 'o' 'n' 'e' 5 'w' 'e' 'a' 'v' 'e' 5 'l' 'o' 'c' 'a' 'l' 0      one.weave.local.
 *
 * As text a name ends in a dot; dots and backslashes inside a label are written `\.` and `\\`,
 * octets that are not printable ASCII `\DDD`. Folded text is lower-case in the letters of ASCII
 * alone, as RFC 4343 has it: equal folded texts are equal names.
 */

/** Octets of a name on the wire, all lengths and the root label included. */
export const nameOctetsMax = 255;
export const labelOctetsMax = 63;

const pointerMask = 0xc0;

/** How each octet of a label looks in folded text. */
const foldedText: readonly string[] = Array.from({ length: 256 }, (_, octet) => {
  if (octet <= 0x20 || octet >= 0x7f) return `\\${octet.toString().padStart(3, "0")}`;
  const character = String.fromCharCode(octet);
  return character === "." || character === "\\" ? `\\${character}` : character.toLowerCase();
});

/** A name without compression: its folded text and the offset behind it. */
export interface FoldedName {
  readonly text: string;
  readonly end: number;
}

/** Reads an uncompressed name; `undefined` when it is cut, too long or compressed. */
export function readFoldedName(bytes: Uint8Array, start: number): FoldedName | undefined {
  let text = "";
  for (let at = start; at < bytes.length; ) {
    const length = bytes[at++]!;
    if (length === 0) return { text: text === "" ? "." : text, end: at };
    const end = at + length;
    if (length > labelOctetsMax || end >= bytes.length || end - start >= nameOctetsMax) break;
    while (at < end) text += foldedText[bytes[at++]!]!;
    text += ".";
  }
  return undefined;
}

/** The offset behind a name, compressed or not; -1 when it is cut or breaks the format. */
export function skipName(bytes: Uint8Array, start: number): number {
  for (let at = start; at < bytes.length; ) {
    const length = bytes[at]!;
    if (length === 0) return at + 1;
    if ((length & pointerMask) === pointerMask) return at + 2 <= bytes.length ? at + 2 : -1;
    if (length > labelOctetsMax) return -1;
    at += 1 + length;
    if (at - start >= nameOctetsMax) return -1;
  }
  return -1;
}

const encoder = new TextEncoder();

/** A name as octets; `undefined` for text that is no name: empty or too long labels. */
export function encodeName(text: string): Uint8Array | undefined {
  if (text === ".") return new Uint8Array(1);
  const source = encoder.encode(text.endsWith(".") ? text : `${text}.`);
  // An escape shrinks, so the text plus the root label bounds the result.
  const name = new Uint8Array(source.length + 1);
  let label = 0;
  let at = 1;
  for (let from = 0; from < source.length; from++) {
    const octet = source[from]!;
    if (octet === 0x2e) {
      const length = at - label - 1;
      if (length === 0 || length > labelOctetsMax) return undefined;
      name[label] = length;
      label = at++;
    } else if (octet === 0x5c) {
      const escaped = readEscape(source, from + 1);
      if (escaped === undefined) return undefined;
      name[at++] = escaped.octet;
      from += escaped.size;
    } else {
      name[at++] = octet;
    }
  }
  // The text may end in an escaped dot, which ends no label.
  return label !== at - 1 || at > nameOctetsMax ? undefined : name.slice(0, at);
}

/** What follows a backslash: three digits or the character itself. */
function readEscape(source: Uint8Array, at: number): { octet: number; size: number } | undefined {
  const digits = String.fromCharCode(...source.subarray(at, at + 3));
  if (/^\d{3}$/.test(digits)) {
    const octet = Number(digits);
    return octet > 255 ? undefined : { octet, size: 3 };
  }
  const octet = source[at];
  return octet === undefined ? undefined : { octet, size: 1 };
}

/** Folds a name given as text: two spellings of one name have the same result. */
export function foldName(text: string): string {
  let folded = "";
  for (const octet of encoder.encode(text)) {
    // Dots separate and backslashes escape here, unlike in a label on the wire.
    folded += octet === 0x2e || octet === 0x5c ? String.fromCharCode(octet) : foldedText[octet]!;
  }
  return folded;
}
