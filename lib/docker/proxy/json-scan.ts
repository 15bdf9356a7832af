import { WeaveError } from "../../base/errors.ts";

/** Where values of JSON begin and end in a text, with the grammar of RFC 8259. */

/** One of an object. */
export interface JsonMember {
  readonly key: string;
  /** As it is written. */
  readonly keyText: string;
  readonly text: string;
}

/** Of the object that begins here, in the order of the text. @throws WeaveError `JSON_SYNTAX` */
export function jsonMembers(text: string, start: number): JsonMember[] {
  const members: JsonMember[] = [];
  eachPart(text, start, "}", (from) => {
    const keyEnd = stringEnd(text, from);
    const colon = skipBlanks(text, keyEnd);
    const begin = skipBlanks(text, colon + 1);
    const end = valueEnd(text, begin, 0);
    const keyText = text.slice(from, keyEnd);
    members.push({ key: String(JSON.parse(keyText)), keyText, text: text.slice(begin, end) });
    return end;
  });
  return members;
}

/** Of an array, as they are written. @throws WeaveError `JSON_SYNTAX` */
export function jsonItems(text: string): string[] {
  const items: string[] = [];
  eachPart(text, 0, "]", (from) => {
    const end = valueEnd(text, from, 0);
    items.push(text.slice(from, end));
    return end;
  });
  return items;
}

/** The value that is the whole of a text, without blanks around it. @throws WeaveError `JSON_SYNTAX` */
export function wholeJson(text: string): string {
  const start = skipBlanks(text, 0);
  const end = valueEnd(text, start, 0);
  const rest = skipBlanks(text, end);
  if (rest !== text.length) throw syntaxError(rest);
  return text.slice(start, end);
}

/** No description of a container is so deep; each level is a level of calls here. */
const depthMax = 256;

/**
 * Calls `part` where each member or item begins; it returns where that ends. Gives what is after
 * the closing sign.
 */
function eachPart(
  text: string,
  start: number,
  closing: "}" | "]",
  part: (from: number) => number,
): number {
  let at = skipBlanks(text, start + 1);
  if (text[at] === closing) return at + 1;
  for (;;) {
    at = skipBlanks(text, part(at));
    if (text[at] === closing) return at + 1;
    if (text[at] !== ",") throw syntaxError(at);
    at = skipBlanks(text, at + 1);
  }
}

/** Where the value that begins here ends. */
function valueEnd(text: string, start: number, depth: number): number {
  if (depth > depthMax) {
    throw new WeaveError("JSON_SYNTAX", `JSON of more than ${depthMax} levels is not read`);
  }
  switch (text[start]) {
    case "{":
      return eachPart(text, start, "}", (from) => {
        const colon = skipBlanks(text, stringEnd(text, from));
        if (text[colon] !== ":") throw syntaxError(colon);
        return valueEnd(text, skipBlanks(text, colon + 1), depth + 1);
      });
    case "[":
      return eachPart(text, start, "]", (from) => valueEnd(text, from, depth + 1));
    case '"':
      return stringEnd(text, start);
    default:
      return endOf(text, start, /true|false|null|-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y);
  }
}

const quote = 0x22;
const backslash = 0x5c;
const firstPrintable = 0x20;

function stringEnd(text: string, start: number): number {
  let code = text.charCodeAt(start);
  if (code !== quote) throw syntaxError(start);
  for (let at = start + 1; at < text.length; at++) {
    code = text.charCodeAt(at);
    if (code === quote) return at + 1;
    if (code < firstPrintable) break;
    if (code === backslash) at = endOf(text, at, /\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})/y) - 1;
  }
  throw syntaxError(start);
}

function endOf(text: string, start: number, token: RegExp): number {
  token.lastIndex = start;
  if (!token.test(text)) throw syntaxError(start);
  return token.lastIndex;
}

function skipBlanks(text: string, start: number): number {
  return endOf(text, start, /[ \t\r\n]*/y);
}

function syntaxError(at: number): WeaveError {
  return new WeaveError("JSON_SYNTAX", `what came is no JSON, at character ${at}`);
}
