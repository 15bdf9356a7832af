import type { WeaveError } from "../../base/errors.ts";
import { quote } from "./go-text.ts";
import { lex, type Token, type TokenKind } from "./lexer.ts";
import { syntaxError } from "./template-error.ts";

/** Walks over tokens, and says what is wrong with the one at hand. */
export class TokenReader {
  readonly #source: string;
  readonly #tokens: readonly Token[];
  #next = 0;
  /** The farthest token looked at: messages name its line. */
  #farthest = 0;
  /** Where the action at hand began. */
  #action: Token | undefined;

  constructor(source: string) {
    this.#source = source;
    this.#tokens = lex(source);
  }

  /** The end and errors stay in front. */
  next(): Token {
    const token = this.peek();
    if (this.#next < this.#tokens.length - 1) this.#next++;
    return token;
  }

  peek(): Token {
    this.#farthest = Math.max(this.#farthest, this.#next);
    return this.#tokens[this.#next]!;
  }

  nextNonSpace(): Token {
    this.peekNonSpace();
    return this.next();
  }

  peekNonSpace(): Token {
    while (this.peek().kind === "space") this.#next++;
    return this.peek();
  }

  /** A place to come back to with {@link backTo}. */
  mark(): number {
    return this.#next;
  }

  backTo(mark: number): void {
    this.#next = mark;
  }

  /** The next token, which must be of a kind. */
  expect(kinds: readonly TokenKind[], context: string): Token {
    const token = this.nextNonSpace();
    if (!kinds.includes(token.kind)) throw this.unexpected(token, context);
    return token;
  }

  beginAction(left: Token): void {
    this.#action = left;
  }

  endAction(): void {
    this.#action = undefined;
  }

  unexpected(token: Token, context: string): WeaveError {
    if (token.kind !== "error") return this.error(`unexpected ${tokenText(token)} in ${context}`);
    const begun = this.#action;
    const line = begun === undefined ? 0 : this.#lineOf(begun);
    if (begun === undefined || line === this.#lineOf(token)) return this.error(token.text);
    const place = `started at format:${line}`;
    return this.error(
      `${token.text}${token.text.endsWith(" action") ? "" : " in action"} ${place}`,
    );
  }

  error(sentence: string): WeaveError {
    return syntaxError(this.#source, this.#tokens[this.#farthest]!.at, sentence);
  }

  #lineOf(token: Token): number {
    return this.#source.slice(0, token.at).split("\n").length;
  }
}

/** A token as messages show it. */
function tokenText({ kind, text }: Token): string {
  if (kind === "end") return "EOF";
  if (kind === "keyword") return `<${text}>`;
  const runes = [...text];
  return runes.length > 10 ? `${quote(runes.slice(0, 10).join(""))}...` : quote(text);
}
