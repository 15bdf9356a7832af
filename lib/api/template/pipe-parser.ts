import { functions } from "./functions.ts";
import { quote } from "./go-text.ts";
import type { Token, TokenKind } from "./lexer.ts";
import { nestingMax } from "./limits.ts";
import { floatNumber, unquote, unquoteCharacter, wholeNumber } from "./literals.ts";
import { nodeText } from "./node-text.ts";
import type { TokenReader } from "./token-reader.ts";
import type { Command, NumberOperand, Operand, Pipe } from "./tree.ts";

/** What can begin an operand. */
const operandKinds: readonly TokenKind[] = [
  "bool",
  "character",
  "field",
  "identifier",
  "number",
  "open",
  "raw",
  "string",
  "variable",
];

/**
 * Parses what stands in an action:
 *
 *     pipe    = [ variable [ "," variable ] ( ":=" | "=" ) ] command { "|" command }
 *     command = operand { space operand }
 *     operand = term { "." name }
 *     term    = literal | name | variable | "." | field | "(" pipe ")"
 */
export class PipeParser {
  readonly #reader: TokenReader;
  #variables = ["$"];
  #depth = 0;

  constructor(reader: TokenReader) {
    this.#reader = reader;
  }

  /** Runs `parse` one level deeper; variables that it declares end with it. */
  nested<T>(parse: () => T): T {
    const known = this.#variables.length;
    if (++this.#depth > nestingMax) {
      throw this.#reader.error(`nested more than ${nestingMax} deep`);
    }
    const result = parse();
    this.#depth--;
    this.#variables.length = known;
    return result;
  }

  /** A template of its own: it knows no variable but `$`. */
  isolated<T>(parse: () => T): T {
    const outer = this.#variables;
    this.#variables = ["$"];
    const result = this.nested(parse);
    this.#variables = outer;
    return result;
  }

  /** Up to and with the token that ends it. */
  parse(context: string, end: "right" | "close"): Pipe {
    const { at } = this.#reader.peekNonSpace();
    const { variables, assigns } = this.#declaration(context);
    const commands: Command[] = [];
    for (let token = this.#reader.peekNonSpace(); token.kind !== end; ) {
      if (!isOperand(token)) throw this.#reader.unexpected(token, context);
      commands.push(this.#command());
      token = this.#reader.peekNonSpace();
    }
    this.#reader.next();
    this.#check(commands, context);
    return { kind: "pipe", at, variables, assigns, commands };
  }

  #check(commands: readonly Command[], context: string): void {
    if (commands.length === 0) throw this.#reader.error(`missing value for ${context}`);
    const literals = ["bool", "dot", "nil", "number", "string"];
    const stage = commands.findIndex(
      ({ operands }, at) => at > 0 && literals.includes(operands[0].kind),
    );
    if (stage > 0) {
      throw this.#reader.error(`non executable command in pipeline stage ${stage + 1}`);
    }
  }

  /** `$x :=`, `$x =` or, of a range, `$i, $x :=`. */
  #declaration(context: string): { variables: string[]; assigns: boolean } {
    const variables: string[] = [];
    while (true) {
      const mark = this.#reader.mark();
      const first = this.#reader.peekNonSpace();
      if (first.kind !== "variable") return { variables, assigns: false };
      this.#reader.next();
      const { kind, text } = this.#reader.peekNonSpace();
      const comma = kind === "symbol" && text === ",";
      if (!comma && kind !== "assign" && kind !== "declare") {
        this.#reader.backTo(mark);
        return { variables, assigns: false };
      }
      this.#reader.next();
      variables.push(first.text);
      this.#variables.push(first.text);
      if (!comma) return { variables, assigns: kind === "assign" };
      if (context !== "range" || variables.length > 1) {
        throw this.#reader.error(`too many declarations in ${context}`);
      }
      if (!["variable", "right", "close"].includes(this.#reader.peekNonSpace().kind)) {
        throw this.#reader.error("range can only initialize variables");
      }
    }
  }

  #command(): Command {
    const { at } = this.#reader.peekNonSpace();
    const operands: Operand[] = [];
    while (true) {
      this.#reader.peekNonSpace();
      const operand = this.#operand();
      if (operand !== undefined) operands.push(operand);
      const token = this.#reader.peek();
      if (token.kind === "right" || token.kind === "close") break;
      if (token.kind !== "space" && token.kind !== "pipe") {
        throw this.#reader.unexpected(token, "operand");
      }
      this.#reader.next();
      if (token.kind === "pipe") break;
    }
    const [first, ...others] = operands;
    if (first === undefined) throw this.#reader.error("empty command");
    return { kind: "command", at, operands: [first, ...others] };
  }

  #operand(): Operand | undefined {
    const term = this.#term();
    if (term === undefined) return undefined;
    const { at } = this.#reader.peek();
    const names: string[] = [];
    while (this.#reader.peek().kind === "field") names.push(this.#reader.next().text.slice(1));
    if (names.length === 0) return term;
    switch (term.kind) {
      case "field":
      case "variable":
        return { ...term, at, names: [...term.names, ...names] };
      case "identifier":
      case "pipe":
        return { kind: "chain", at, of: term, names };
      default:
        throw this.#reader.error(`unexpected . after term ${quote(nodeText(term))}`);
    }
  }

  /** `undefined` when something else than a term comes next. */
  #term(): Operand | undefined {
    const token = this.#reader.peekNonSpace();
    if (!isOperand(token)) return undefined;
    const { at, kind, text } = this.#reader.next();
    switch (kind) {
      case "identifier":
        if (!functions.has(text)) throw this.#reader.error(`function ${quote(text)} not defined`);
        return { kind: "identifier", at, name: text };
      case "keyword":
        return { kind: text === "." ? "dot" : "nil", at };
      case "variable":
        if (!this.#variables.includes(text)) {
          throw this.#reader.error(`undefined variable ${quote(text)}`);
        }
        return { kind: "variable", at, variable: text, names: [] };
      case "field":
        return { kind: "field", at, names: [text.slice(1)] };
      case "bool":
        return { kind: "bool", at, bool: text === "true" };
      case "string":
      case "raw":
        return { kind: "string", at, written: text, text: this.text(token) };
      case "open":
        return this.nested(() => this.parse("parenthesized pipeline", "close"));
      default:
        return this.#number(token);
    }
  }

  /** What a string token stands for. */
  text({ text }: Token): string {
    const unquoted = unquote(text);
    if (unquoted === undefined) throw this.#reader.error("invalid syntax");
    return unquoted;
  }

  #number({ at, kind, text }: Token): NumberOperand {
    if (kind === "character") {
      const code = unquoteCharacter(text);
      if (code === undefined) throw this.#reader.error("invalid syntax");
      if (code === "long") throw this.#reader.error(`malformed character constant: ${text}`);
      return { kind: "number", at, written: text, value: { int: BigInt(code) } };
    }
    const int = wholeNumber(text);
    if (int !== undefined && int >= -(2n ** 63n) && int < 2n ** 64n) {
      return { kind: "number", at, written: text, value: { int } };
    }
    const float = floatNumber(text);
    if (float === undefined) {
      const complex = text.endsWith("i");
      throw this.#reader.error(
        complex ? "complex numbers are not supported" : `illegal number syntax: ${quote(text)}`,
      );
    }
    if (!/[.eEpP]/.test(text)) throw this.#reader.error(`integer overflow: ${quote(text)}`);
    return { kind: "number", at, written: text, value: { float } };
  }
}

function isOperand({ kind, text }: Token): boolean {
  return operandKinds.includes(kind) || (kind === "keyword" && (text === "." || text === "nil"));
}
