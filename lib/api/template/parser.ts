import { quote } from "./go-text.ts";
import type { Token } from "./lexer.ts";
import { PipeParser } from "./pipe-parser.ts";
import { templateName } from "./template-error.ts";
import { TokenReader } from "./token-reader.ts";
import type { BranchNode, Node, TemplateSet } from "./tree.ts";

/**
 * Parses a template; throws a `WeaveError` with the line and what is wrong there.
 *
 *     list   = { text | "{{" pipe "}}" | branch | template | block | break | continue }
 *     branch = "{{" ("if" | "range" | "with") pipe "}}" list
 *              [ "{{" "else" [ "if" … ] "}}" list ] "{{" "end" "}}"
 */
export function parse(source: string): TemplateSet {
  return new Parser(source).parse();
}

/** What ended a list. */
type Ending = "end" | "else";

class Parser {
  readonly #reader: TokenReader;
  readonly #pipes: PipeParser;
  readonly #named = new Map<string, readonly Node[]>();
  /** Ranges around the place at hand, of the same template. */
  #ranges = 0;

  constructor(source: string) {
    this.#reader = new TokenReader(source);
    this.#pipes = new PipeParser(this.#reader);
  }

  parse(): TemplateSet {
    const main: Node[] = [];
    while (this.#reader.peek().kind !== "end") {
      if (this.#atDefine()) {
        this.#define();
        continue;
      }
      const node = this.#node();
      if (typeof node === "string") throw this.#reader.error(`unexpected {{${node}}}`);
      if (node !== undefined) main.push(node);
    }
    // The whole may be defined by its name, too.
    this.#name(templateName, main);
    return { main: this.#named.get(templateName) ?? main, named: this.#named };
  }

  #atDefine(): boolean {
    const mark = this.#reader.mark();
    const found =
      this.#reader.next().kind === "left" && isWord(this.#reader.nextNonSpace(), "define");
    if (!found) this.#reader.backTo(mark);
    return found;
  }

  /** The rest of `{{define "name"}} list {{end}}`. */
  #define(): void {
    const context = "define clause";
    const name = this.#pipes.text(this.#reader.expect(["string", "raw"], context));
    this.#reader.expect(["right"], context);
    this.#name(name, this.#isolatedList(context));
  }

  /** A list that knows nothing of the blocks around it, up to and with its end. */
  #isolatedList(context: string): Node[] {
    const outer = this.#ranges;
    this.#ranges = 0;
    const { nodes, ending } = this.#pipes.isolated(() => this.#list());
    this.#ranges = outer;
    if (ending !== "end") throw this.#reader.error(`unexpected {{${ending}}} in ${context}`);
    return nodes;
  }

  /** A name may be given twice when all but one of its lists are empty. */
  #name(name: string, nodes: readonly Node[]): void {
    const known = this.#named.get(name);
    if (known === undefined || known.every(isBlank)) this.#named.set(name, nodes);
    else if (!nodes.every(isBlank)) {
      throw this.#reader.error(`template: multiple definition of template ${quote(name)}`);
    }
  }

  #list(): { nodes: Node[]; ending: Ending } {
    const nodes: Node[] = [];
    while (this.#reader.peekNonSpace().kind !== "end") {
      const node = this.#node();
      if (typeof node === "string") return { nodes, ending: node };
      if (node !== undefined) nodes.push(node);
    }
    throw this.#reader.error("unexpected EOF");
  }

  /** A text or an action; the word of an action that ends a list. */
  #node(): Node | Ending | undefined {
    const token = this.#reader.nextNonSpace();
    if (token.kind === "text") return { kind: "text", at: token.at, text: token.text };
    if (token.kind !== "left") throw this.#reader.unexpected(token, "input");
    this.#reader.beginAction(token);
    const node = this.#action();
    this.#reader.endAction();
    return node;
  }

  #action(): Node | Ending {
    const word = this.#reader.peekNonSpace();
    if (word.kind === "keyword") {
      const mark = this.#reader.mark();
      this.#reader.next();
      const node = this.#keyword(word);
      if (node !== undefined) return node;
      this.#reader.backTo(mark);
    }
    return { kind: "action", at: word.at, pipe: this.#pipes.parse("command", "right") };
  }

  /** `undefined` for a word that does not rule an action. */
  #keyword({ at, text }: Token): Node | Ending | undefined {
    switch (text) {
      case "if":
      case "range":
      case "with":
        return this.#branch(text, at);
      case "else":
        // The `if` of `{{else if}}` is left to the branch.
        if (!isWord(this.#reader.peekNonSpace(), "if")) this.#reader.expect(["right"], "else");
        return "else";
      case "end":
        this.#reader.expect(["right"], "end");
        return "end";
      case "break":
      case "continue":
        this.#reader.expect(["right"], `{{${text}}}`);
        if (this.#ranges === 0) throw this.#reader.error(`{{${text}}} outside {{range}}`);
        return { kind: text, at };
      case "template":
        return this.#template();
      case "block":
        return this.#block();
      default:
        return undefined;
    }
  }

  #branch(kind: BranchNode["kind"], at: number): BranchNode {
    return this.#pipes.nested(() => {
      const pipe = this.#pipes.parse(kind, "right");
      if (kind === "range") this.#ranges++;
      const { nodes: body, ending } = this.#list();
      if (kind === "range") this.#ranges--;
      return { kind, at, pipe, body, otherwise: ending === "end" ? undefined : this.#else(kind) };
    });
  }

  #else(kind: BranchNode["kind"]): readonly Node[] {
    const word = this.#reader.peek();
    if (isWord(word, "if")) {
      if (kind !== "if") throw this.#reader.unexpected(word, "input");
      this.#reader.next();
      // One end closes them all.
      return [this.#branch("if", word.at)];
    }
    const { nodes, ending } = this.#list();
    if (ending !== "end") throw this.#reader.error(`expected end; found {{${ending}}}`);
    return nodes;
  }

  /** `{{template "name" pipe}}`. */
  #template(): Node {
    const context = "template clause";
    const token = this.#reader.expect(["string", "raw"], context);
    const name = this.#pipes.text(token);
    if (this.#reader.peekNonSpace().kind === "right") {
      this.#reader.next();
      return { kind: "template", at: token.at, name, pipe: undefined };
    }
    const pipe = this.#pipes.parse(context, "right");
    return { kind: "template", at: token.at, name, pipe };
  }

  /** `{{block "name" pipe}} list {{end}}`: defines a template where it is used. */
  #block(): Node {
    const context = "block clause";
    const token = this.#reader.expect(["string", "raw"], context);
    const name = this.#pipes.text(token);
    const pipe = this.#pipes.parse(context, "right");
    this.#name(name, this.#isolatedList(context));
    return { kind: "template", at: token.at, name, pipe };
  }
}

function isWord({ kind, text }: Token, word: string): boolean {
  return kind === "keyword" && text === word;
}

function isBlank(node: Node): boolean {
  return node.kind === "text" && node.text.trim() === "";
}
