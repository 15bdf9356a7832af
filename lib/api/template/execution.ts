import { WeaveError } from "../../base/errors.ts";
import { type Budget, evaluationDepthMax, limitExceeded, workPerStep } from "./limits.ts";
import { nodeText } from "./node-text.ts";
import { executionError, templateName } from "./template-error.ts";
import type { Command, Node, Operand, Pipe } from "./tree.ts";

/** A template sets up variables of its own. */
const workPerTemplate = 8 * workPerStep;

/** Where a running template is, and what it may still do. */
export class Execution {
  readonly budget: Budget;
  readonly #source: string;
  #running = templateName;
  #node: Node | Pipe | Command | Operand | undefined;
  #depth = 0;

  constructor(source: string, budget: Budget) {
    this.#source = source;
    this.budget = budget;
  }

  /** Every step passes here: it costs, and messages name the last one. */
  at(node: Node | Pipe | Command | Operand): void {
    this.#node = node;
    this.budget.spend(workPerStep);
  }

  /** Runs `evaluate` one level deeper. */
  nested<T>(evaluate: () => T): T {
    if (++this.#depth > evaluationDepthMax) {
      throw limitExceeded(`exceeded maximum template depth (${evaluationDepthMax})`);
    }
    const result = evaluate();
    this.#depth--;
    return result;
  }

  /** Runs the template of a name. */
  within(name: string, evaluate: () => void): void {
    this.budget.spend(workPerTemplate);
    const outer = this.#running;
    this.#running = name;
    this.nested(evaluate);
    this.#running = outer;
  }

  /** What is wrong at the last step. */
  error(sentence: string): WeaveError {
    const where = { source: this.#source, at: this.#node?.at ?? 0, running: this.#running };
    return executionError(where, this.#node === undefined ? "" : nodeText(this.#node), sentence);
  }

  /** The same for what was thrown without a place; anything else is thrown on. */
  located(thrown: unknown): WeaveError {
    if (!(thrown instanceof WeaveError)) throw thrown;
    return thrown.code === "TEMPLATE_LIMIT" ? this.error(thrown.message) : thrown;
  }
}
