import type { GoValue } from "./go-value.ts";
import type { Budget } from "./limits.ts";

/** The variables of a template, innermost last. A name declared again hides the one before. */
export class Variables {
  readonly #budget: Budget;
  readonly #stack: { readonly name: string; value: GoValue }[];

  constructor(root: GoValue, budget: Budget) {
    this.#stack = [{ name: "$", value: root }];
    this.#budget = budget;
  }

  /** A place to come back to with {@link release}. */
  mark(): number {
    return this.#stack.length;
  }

  release(mark: number): void {
    this.#stack.length = mark;
  }

  declare(name: string, value: GoValue): void {
    this.#stack.push({ name, value });
  }

  get(name: string): GoValue | undefined {
    return this.#find(name)?.value;
  }

  /** False when there is none of the name. */
  assign(name: string, value: GoValue): boolean {
    const variable = this.#find(name);
    if (variable !== undefined) variable.value = value;
    return variable !== undefined;
  }

  #find(name: string): { value: GoValue } | undefined {
    for (let at = this.#stack.length - 1; at >= 0; at--) {
      this.#budget.spend(2);
      if (this.#stack[at]!.name === name) return this.#stack[at];
    }
    return undefined;
  }
}
