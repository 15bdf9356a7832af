import type { Execution } from "./execution.ts";
import { plainFormat } from "./format.ts";
import { formatValue, printValue } from "./format-value.ts";
import { quote } from "./go-text.ts";
import {
  type GoValue,
  indirect,
  intValue,
  isTrue,
  itemAt,
  keysOf,
  memberAt,
  none,
  stringValue,
} from "./go-value.ts";
import { BoundedText, workPerStep } from "./limits.ts";
import { PipeEvaluator } from "./pipe-evaluator.ts";
import type { BranchNode, Node, TemplateSet } from "./tree.ts";
import { Variables } from "./variables.ts";

/** Why a list stopped before its end. */
type Jump = "break" | "continue" | undefined;

/** What a run of templates shares. */
export interface Run {
  readonly set: TemplateSet;
  readonly execution: Execution;
  readonly out: BoundedText;
}

/** Runs a list as a template of its own, with `dot` as `.` and `$`. */
export function runTemplate(run: Run, nodes: readonly Node[], dot: GoValue): void {
  new Evaluator(run, dot).list(nodes, dot);
}

class Evaluator {
  readonly #run: Run;
  readonly #variables: Variables;
  readonly #pipes: PipeEvaluator;

  constructor(run: Run, root: GoValue) {
    this.#run = run;
    this.#variables = new Variables(root, run.execution.budget);
    this.#pipes = new PipeEvaluator(run.execution, this.#variables);
  }

  list(nodes: readonly Node[], dot: GoValue): Jump {
    return this.#run.execution.nested(() => {
      for (const node of nodes) {
        const jump = this.#node(node, dot);
        if (jump !== undefined) return jump;
      }
      return undefined;
    });
  }

  /** Runs a list whose variables end with it. */
  #scope(run: () => Jump): Jump {
    const mark = this.#variables.mark();
    const jump = run();
    this.#variables.release(mark);
    return jump;
  }

  #node(node: Node, dot: GoValue): Jump {
    this.#run.execution.at(node);
    switch (node.kind) {
      case "text":
        this.#run.out.write(node.text);
        return undefined;
      case "action": {
        const value = this.#pipes.evaluate(node.pipe, dot);
        this.#run.execution.at(node);
        if (node.pipe.variables.length === 0) printValue(this.#run.out, value);
        return undefined;
      }
      case "if":
      case "with":
        return this.#scope(() => this.#condition(node, dot));
      case "range":
        return this.#scope(() => this.#range(node, dot));
      case "template":
        this.#template(node, dot);
        return undefined;
      default:
        return node.kind;
    }
  }

  #condition(node: BranchNode, dot: GoValue): Jump {
    const value = this.#pipes.evaluate(node.pipe, dot);
    if (isTrue(value)) return this.list(node.body, node.kind === "with" ? value : dot);
    return this.list(node.otherwise ?? [], dot);
  }

  #range(node: BranchNode, dot: GoValue): Jump {
    const value = indirect(this.#pipes.evaluate(node.pipe, dot));
    const mark = this.#variables.mark();
    let empty = true;
    for (const { key, item } of this.#items(value)) {
      empty = false;
      this.#run.execution.budget.spend(workPerStep);
      this.#setVariables(node, key, item);
      const jump = this.list(node.body, item);
      this.#variables.release(mark);
      if (jump === "break") break;
    }
    return empty ? this.list(node.otherwise ?? [], dot) : undefined;
  }

  *#items(value: GoValue): Generator<{ key: GoValue; item: GoValue }> {
    switch (value.kind) {
      case "none":
      case "nil":
        return;
      case "slice":
        for (let at = 0; at < (value.items?.length ?? 0); at++) {
          yield { key: intValue(at), item: itemAt(value, at) };
        }
        return;
      case "map":
      case "object":
        for (const key of keysOf(value)) {
          yield { key: stringValue(key), item: memberAt(value, key) ?? none };
        }
        return;
      default: {
        const shown = new BoundedText(this.#run.execution.budget);
        formatValue(shown, value, plainFormat);
        throw this.#run.execution.error(`range can't iterate over ${shown.text}`);
      }
    }
  }

  /** The last variable is the item, one before it the index or key. */
  #setVariables({ pipe }: BranchNode, key: GoValue, item: GoValue): void {
    const [first, second] = pipe.variables;
    if (second !== undefined) this.#pipes.assign(second, item);
    if (first !== undefined) this.#pipes.assign(first, second === undefined ? item : key);
  }

  #template(node: Node & { kind: "template" }, dot: GoValue): void {
    const { set, execution } = this.#run;
    const nodes = set.named.get(node.name);
    if (nodes === undefined) throw execution.error(`template ${quote(node.name)} not defined`);
    const value = node.pipe === undefined ? none : this.#pipes.evaluate(node.pipe, dot);
    execution.within(node.name, () => runTemplate(this.#run, nodes, value));
  }
}
