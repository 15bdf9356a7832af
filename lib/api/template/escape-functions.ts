import { isPrintable, toBytes } from "./go-text.ts";

/** `html`, `js` and `urlquery`: a text made safe to stand in another. */

const htmlEscapes: Readonly<Record<string, string>> = {
  '"': "&#34;",
  "'": "&#39;",
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
};

export function escapeHtml(text: string): string {
  return text.replaceAll("\0", "\ufffd").replace(/["'&<>]/g, (found) => htmlEscapes[found]!);
}

/** For a string of JavaScript within HTML. */
export function escapeJs(text: string): string {
  return Array.from(text, (character) => {
    if (["\\", "'", '"'].includes(character)) return `\\${character}`;
    const escaped = "<>&=".includes(character) || character < " " || !isPrintable(character);
    if (!escaped) return character;
    return `\\u${character.codePointAt(0)!.toString(16).toUpperCase().padStart(4, "0")}`;
  }).join("");
}

/** For a part of a URL's query. */
export function escapeQuery(text: string): string {
  return Array.from(toBytes(text), (byte) => {
    const character = String.fromCharCode(byte);
    if (/[A-Za-z0-9_.~-]/.test(character)) return character;
    if (character === " ") return "+";
    return `%${byte.toString(16).toUpperCase().padStart(2, "0")}`;
  }).join("");
}
