import { isPrintable, quote } from "./go-text.ts";

/**
 * A template as tokens:
 *
 *     text {{ field ("x" | printf) }} text
 *     ──┬─ ─┬ space ─┬─            ─┬ ──┬─
 *      text left    operands…     right text
 *
 * Between `{{` and `}}` spaces are tokens of their own, because they separate operands. A token
 * `error` ends the list: what is wrong is said by the parser, once it has come that far.
 */
export type TokenKind =
  | "text"
  | "left"
  | "right"
  | "space"
  | "assign"
  | "declare"
  | "pipe"
  | "string"
  | "raw"
  | "character"
  | "number"
  | "bool"
  | "field"
  | "variable"
  | "identifier"
  | "keyword"
  | "open"
  | "close"
  | "symbol"
  | "end"
  | "error";

export interface Token {
  readonly kind: TokenKind;
  /** As written; of `error` the message. */
  readonly text: string;
  /** Index into the template. */
  readonly at: number;
}

const keywords = [
  "block",
  "break",
  "continue",
  "define",
  "else",
  "end",
  "if",
  "nil",
  "range",
  "template",
  "with",
];

const alphanumeric = "[\\p{L}\\p{Nd}_]";
const word = new RegExp(`${alphanumeric}+`, "uy");
const wordOrNothing = new RegExp(`${alphanumeric}*`, "uy");
/** Spaces up to, not with, the one that belongs to a closing ` -}}`. */
const spaces = /[ \t\r\n]+?(?=[ \t\r\n]-\}\}|[^ \t\r\n]|$)/y;
const rightDelimiter = /(?:[ \t\r\n]-)?\}\}/y;
const quoted = /"(?:\\[^\n]|[^"\\\n])*"/y;
const character = /'(?:\\[^\n]|[^'\\\n])*'/y;
const number =
  /[+-]?(?:0[xX][0-9a-fA-F_]*(?:\.[0-9a-fA-F_]*)?(?:[pP][+-]?[0-9_]*)?|0[oO][0-7_]*(?:\.[0-7_]*)?|0[bB][01_]*(?:\.[01_]*)?|[0-9_]*(?:\.[0-9_]*)?(?:[eE][+-]?[0-9_]*)?)i?/y;
/** What may follow a word, besides the end of the action. */
const terminators = " \t\r\n.,|:)(";

/** Never fails; never more tokens than characters, plus the end. */
export function lex(source: string): Token[] {
  const lexer = new Lexer(source);
  while (lexer.readText());
  return lexer.tokens;
}

class Lexer {
  readonly tokens: Token[] = [];
  readonly #source: string;
  #at = 0;
  /** Open parentheses of the action. */
  #depth = 0;

  constructor(source: string) {
    this.#source = source;
  }

  /** Reads a text and the action or comment after it; false at the end or an error. */
  readText(): boolean {
    const start = this.#at;
    const found = this.#source.indexOf("{{", start);
    const left = found < 0 ? this.#source.length : found;
    const trims = /^-[ \t\r\n]/.test(this.#source.slice(left + 2, left + 4));
    const text = this.#source.slice(start, left);
    const kept = trims ? trimRight(text) : text;
    if (kept !== "") this.#push("text", kept, start);
    this.#at = left;
    if (found < 0) {
      this.#push("end", "", left);
      return false;
    }
    this.#at = left + (trims ? 4 : 2);
    if (this.#source.startsWith("/*", this.#at)) return this.#skipComment();
    this.#push("left", "{{", left);
    this.#depth = 0;
    return this.#readAction();
  }

  #skipComment(): boolean {
    const start = this.#at;
    const close = this.#source.indexOf("*/", start + 2);
    if (close < 0) return this.#fail("unclosed comment", start);
    this.#at = close + 2;
    const right = this.#match(rightDelimiter);
    if (right === undefined) return this.#fail("comment ends before closing delimiter", start);
    this.#skipDelimiter(right);
    return true;
  }

  /** Reads up to and with `}}`; false at an error. */
  #readAction(): boolean {
    while (true) {
      const right = this.#match(rightDelimiter);
      if (right !== undefined) {
        if (this.#depth > 0) return this.#fail("unclosed left paren", this.#at);
        this.#push("right", "}}", this.#at + right.length - 2);
        this.#skipDelimiter(right);
        return true;
      }
      if (this.#at >= this.#source.length) return this.#fail("unclosed action", this.#at);
      if (!this.#readToken()) return false;
    }
  }

  #skipDelimiter(right: string): void {
    this.#at += right.length;
    if (right.length > 2) this.#at += /^[ \t\r\n]*/.exec(this.#source.slice(this.#at))![0].length;
  }

  #readToken(): boolean {
    const { [this.#at]: first = "", [this.#at + 1]: second = "" } = this.#source;
    switch (first) {
      case " ":
      case "\t":
      case "\r":
      case "\n":
        return this.#take("space", this.#match(spaces));
      case "=":
        return this.#take("assign", first);
      case ":":
        return second === "=" ? this.#take("declare", ":=") : this.#fail("expected :=", this.#at);
      case "|":
        return this.#take("pipe", first);
      case '"':
        return this.#take("string", this.#match(quoted), "unterminated quoted string");
      case "`":
        return this.#take("raw", this.#rawString(), "unterminated raw quoted string");
      case "'":
        return this.#take("character", this.#match(character), "unterminated character constant");
      case "$":
        return this.#takeWord("variable", first);
      case "(":
        this.#depth++;
        return this.#take("open", first);
      case ")":
        this.#depth--;
        return this.#take("close", first);
      case ".":
        return /[0-9]/.test(second) ? this.#takeNumber() : this.#takeWord("field", first);
      default:
        return this.#readOther(first);
    }
  }

  #readOther(first: string): boolean {
    if (/[0-9+-]/.test(first)) return this.#takeNumber();
    if (this.#match(word) !== undefined) return this.#takeWord("identifier", "");
    if (first >= " " && first <= "~") return this.#take("symbol", first);
    return this.#fail(`unrecognized character in action: ${describe(this.#here())}`, this.#at);
  }

  #rawString(): string | undefined {
    const close = this.#source.indexOf("`", this.#at + 1);
    return close < 0 ? undefined : this.#source.slice(this.#at, close + 1);
  }

  /** A name, with the sign before it: `.Name`, `$name`, `name`. */
  #takeWord(kind: TokenKind, sign: string): boolean {
    const start = this.#at;
    this.#at += sign.length;
    const name = this.#match(wordOrNothing) ?? "";
    this.#at += name.length;
    const next = this.#here();
    if (next !== "" && !terminators.includes(next) && this.#match(rightDelimiter) === undefined) {
      return this.#fail(`bad character ${describe(next)}`, start);
    }
    const text = sign + name;
    if (kind === "identifier") this.#push(kindOfWord(name), text, start);
    else this.#push(text === "." ? "keyword" : kind, text, start);
    return true;
  }

  #takeNumber(): boolean {
    const start = this.#at;
    this.#at += this.#match(number)?.length ?? 0;
    // A second part with a sign makes a complex number.
    const complex = /[+-]/.test(this.#here());
    if (complex) this.#at += this.#match(number)?.length ?? 0;
    const text = this.#source.slice(start, this.#at);
    if (this.#match(word) !== undefined) {
      return this.#fail(`bad number syntax: ${quote(text + this.#here())}`, start);
    }
    if (complex && !text.endsWith("i")) {
      return this.#fail(`bad number syntax: ${quote(text)}`, start);
    }
    this.#push("number", text, start);
    return true;
  }

  #take(kind: TokenKind, text: string | undefined, failure = ""): boolean {
    if (text === undefined) return this.#fail(failure, this.#at);
    this.#push(kind, text, this.#at);
    this.#at += text.length;
    return true;
  }

  #fail(message: string, at: number): false {
    this.#push("error", message, at);
    return false;
  }

  #push(kind: TokenKind, text: string, at: number): void {
    this.tokens.push({ kind, text, at });
  }

  #match(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.#at;
    return pattern.exec(this.#source)?.[0];
  }

  /** The character at hand; empty at the end. */
  #here(): string {
    const code = this.#source.codePointAt(this.#at);
    return code === undefined ? "" : String.fromCodePoint(code);
  }
}

function kindOfWord(name: string): TokenKind {
  if (keywords.includes(name)) return "keyword";
  return name === "true" || name === "false" ? "bool" : "identifier";
}

/** A pattern would try again at each of a thousand spaces. */
function trimRight(text: string): string {
  let end = text.length;
  while (end > 0 && " \t\r\n".includes(text[end - 1]!)) end--;
  return text.slice(0, end);
}

/** Go's `%#U`: `U+00E9 'é'`. */
function describe(character: string): string {
  const code = character.codePointAt(0)!.toString(16).toUpperCase().padStart(4, "0");
  return isPrintable(character) ? `U+${code} '${character}'` : `U+${code}`;
}
