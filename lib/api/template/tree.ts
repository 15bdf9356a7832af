/** A parsed template. `at` is an index into its source, for messages. */

export type Node =
  | { readonly kind: "text"; readonly at: number; readonly text: string }
  | { readonly kind: "action"; readonly at: number; readonly pipe: Pipe }
  | BranchNode
  | {
      readonly kind: "template";
      readonly at: number;
      readonly name: string;
      readonly pipe: Pipe | undefined;
    }
  | { readonly kind: "break" | "continue"; readonly at: number };

export interface BranchNode {
  readonly kind: "if" | "range" | "with";
  readonly at: number;
  readonly pipe: Pipe;
  readonly body: readonly Node[];
  readonly otherwise: readonly Node[] | undefined;
}

/** `$x := first | second`. */
export interface Pipe {
  readonly kind: "pipe";
  readonly at: number;
  /** Names with their `$`: one, or two of a `range`. */
  readonly variables: readonly string[];
  /** `=` and not `:=`. */
  readonly assigns: boolean;
  readonly commands: readonly Command[];
}

/** A function or value and its operands. */
export interface Command {
  readonly kind: "command";
  readonly at: number;
  readonly operands: readonly [Operand, ...Operand[]];
}

export type Operand =
  | { readonly kind: "identifier"; readonly at: number; readonly name: string }
  | FieldOperand
  | VariableOperand
  | ChainOperand
  | { readonly kind: "dot" | "nil"; readonly at: number }
  | { readonly kind: "bool"; readonly at: number; readonly bool: boolean }
  | NumberOperand
  | {
      readonly kind: "string";
      readonly at: number;
      readonly written: string;
      readonly text: string;
    }
  | Pipe;

/** `.Router.Name`. */
export interface FieldOperand {
  readonly kind: "field";
  readonly at: number;
  readonly names: readonly string[];
}

/** `$x.Name`; the name of the variable with its `$`. */
export interface VariableOperand {
  readonly kind: "variable";
  readonly at: number;
  readonly variable: string;
  readonly names: readonly string[];
}

/** `(…).Name`. */
export interface ChainOperand {
  readonly kind: "chain";
  readonly at: number;
  readonly of: Operand;
  readonly names: readonly string[];
}

export interface NumberOperand {
  readonly kind: "number";
  readonly at: number;
  readonly written: string;
  readonly value: { readonly int: bigint } | { readonly float: number };
}

/** What runs first, and what `define` and `block` named. */
export interface TemplateSet {
  readonly main: readonly Node[];
  readonly named: ReadonlyMap<string, readonly Node[]>;
}
