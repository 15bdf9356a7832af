import { WeaveError } from "../../base/errors.ts";
import type { Execution } from "./execution.ts";
import { functions, type TemplateFunction } from "./functions.ts";
import {
  boolValue,
  fieldOf,
  floatValue,
  type GoValue,
  held,
  intValue,
  memberAt,
  none,
  stringValue,
  typeNameOf,
} from "./go-value.ts";
import { nodeText } from "./node-text.ts";
import type { Command, NumberOperand, Operand, Pipe } from "./tree.ts";
import type { Variables } from "./variables.ts";

/** The operands after the first, and what the pipe hands over as the last one. */
interface Call {
  readonly operands: readonly Operand[];
  readonly final: GoValue | undefined;
}

const noCall: Call = { operands: [], final: undefined };

/** Evaluates pipes within one template. */
export class PipeEvaluator {
  readonly #execution: Execution;
  readonly #variables: Variables;

  constructor(execution: Execution, variables: Variables) {
    this.#execution = execution;
    this.#variables = variables;
  }

  evaluate(pipe: Pipe, dot: GoValue): GoValue {
    return this.#execution.nested(() => {
      this.#execution.at(pipe);
      let value: GoValue | undefined;
      for (const command of pipe.commands) value = this.#command(command, dot, value);
      const result = value ?? none;
      for (const name of pipe.variables) {
        if (pipe.assigns) this.assign(name, result);
        else this.#variables.declare(name, result);
      }
      return result;
    });
  }

  assign(name: string, value: GoValue): void {
    if (!this.#variables.assign(name, value)) {
      throw this.#execution.error(`undefined variable: ${name}`);
    }
  }

  #command(command: Command, dot: GoValue, final: GoValue | undefined): GoValue {
    const [first, ...operands] = command.operands;
    const call = { operands, final };
    switch (first.kind) {
      case "identifier":
        return this.#callFunction(first, command, dot, call);
      case "field":
      case "variable":
      case "chain":
        return this.#path(first, dot, call);
      case "pipe":
        this.#refuseCall(first, call);
        return this.evaluate(first, dot);
      case "nil":
        this.#execution.at(first);
        this.#refuseCall(first, call);
        throw this.#execution.error("nil is not a command");
      default:
        this.#execution.at(first);
        this.#refuseCall(first, call);
        return this.#operand(first, dot);
    }
  }

  #refuseCall(first: Operand, { operands, final }: Call): void {
    if (operands.length === 0 && final === undefined) return;
    throw this.#execution.error(`can't give argument to non-function ${nodeText(first)}`);
  }

  /** The value of an operand on its own. */
  #operand(operand: Operand, dot: GoValue): GoValue {
    this.#execution.at(operand);
    switch (operand.kind) {
      case "bool":
        return boolValue(operand.bool);
      case "dot":
        return held(dot);
      case "nil":
        return none;
      case "number":
        return this.#number(operand);
      case "string":
        return stringValue(operand.text);
      case "pipe":
        return this.evaluate(operand, dot);
      case "identifier":
        return this.#callFunction(operand, operand, dot, noCall);
      default:
        return this.#path(operand, dot, noCall);
    }
  }

  #number({ value, written }: NumberOperand): GoValue {
    if ("float" in value) return floatValue(value.float);
    if (value.int < 2n ** 63n) return intValue(value.int);
    throw this.#execution.error(`${written} overflows int`);
  }

  #path(
    path: Operand & { kind: "field" | "variable" | "chain" },
    dot: GoValue,
    call: Call,
  ): GoValue {
    this.#execution.at(path);
    const start = this.#start(path, dot);
    if (path.names.length === 0) {
      this.#refuseCall(path, call);
      return held(start);
    }
    const last = path.names.length - 1;
    return held(
      path.names.reduce(
        (value, name, at) => this.#field(value, name, at === last ? call : noCall),
        start,
      ),
    );
  }

  #start(path: Operand & { kind: "field" | "variable" | "chain" }, dot: GoValue): GoValue {
    if (path.kind === "field") return dot;
    if (path.kind === "chain") return this.#operand(path.of, dot);
    const value = this.#variables.get(path.variable);
    if (value === undefined) throw this.#execution.error(`undefined variable: ${path.variable}`);
    return value;
  }

  #field(receiver: GoValue, name: string, { operands, final }: Call): GoValue {
    const given = operands.length + (final === undefined ? 0 : 1);
    const value = receiver.kind === "pointer" ? (receiver.target ?? receiver) : receiver;
    switch (value.kind) {
      case "none":
        return none;
      case "nil":
        throw this.#execution.error(`nil pointer evaluating ${typeNameOf(value)}.${name}`);
      case "pointer": {
        const known = Object.hasOwn(value.type.to.fields, name);
        if (!known) break;
        throw this.#execution.error(`nil pointer evaluating ${typeNameOf(value)}.${name}`);
      }
      case "struct": {
        if (name === "String" && value.type.print !== undefined) {
          if (given === 0) return stringValue(value.type.print(value.members));
          throw this.#execution.error(`wrong number of args for String: want 0 got ${given}`);
        }
        const field = fieldOf(value, name);
        if (field === undefined) break;
        if (given === 0) return field;
        throw this.#execution.error(`${name} has arguments but cannot be invoked as function`);
      }
      case "map":
        if (given === 0) return memberAt(value, name) ?? none;
        throw this.#execution.error(`${name} is not a method but has arguments`);
      case "object": {
        const member = memberAt(value, name);
        if (member === undefined) break;
        if (given === 0) return member;
        throw this.#execution.error(`${name} has arguments but cannot be invoked as function`);
      }
    }
    throw this.#execution.error(`can't evaluate field ${name} in type ${typeNameOf(receiver)}`);
  }

  #callFunction(
    identifier: Operand & { kind: "identifier" },
    whole: Command | Operand,
    dot: GoValue,
    call: Call,
  ): GoValue {
    const { name } = identifier;
    const called = functions.get(name)!;
    this.#execution.at(identifier);
    this.#checkCount(name, called, call);
    const values: GoValue[] = [];
    for (const operand of call.operands) {
      const wantsString = called.stringFirst === true && values.length === 0;
      const value = wantsString ? this.#stringOperand(operand, dot) : this.#operand(operand, dot);
      if (called.decides?.(value) === true) return value;
      values.push(value);
    }
    if (call.final !== undefined) {
      if (called.stringFirst === true && values.length === 0) this.#requireString(call.final);
      values.push(call.final);
    }
    try {
      return called.call(values, this.#execution.budget);
    } catch (thrown) {
      if (!(thrown instanceof WeaveError) || thrown.code !== "TEMPLATE_FUNCTION") throw thrown;
      this.#execution.at(whole);
      throw this.#execution.error(`error calling ${name}: ${thrown.message}`);
    }
  }

  #checkCount(name: string, { least, most }: TemplateFunction, { operands, final }: Call): void {
    const given = operands.length + (final === undefined ? 0 : 1);
    if (given >= least && given <= most) return;
    const wanted = most === Number.POSITIVE_INFINITY ? `at least ${least}` : least;
    throw this.#execution.error(`wrong number of args for ${name}: want ${wanted} got ${given}`);
  }

  #stringOperand(operand: Operand, dot: GoValue): GoValue {
    const value = this.#operand(operand, dot);
    switch (operand.kind) {
      case "bool":
      case "number":
        throw this.#execution.error(`expected string; found ${nodeText(operand)}`);
      case "nil":
        throw this.#execution.error("cannot assign nil to string");
      default:
        this.#requireString(value);
        return value;
    }
  }

  #requireString(value: GoValue): void {
    if (value.kind === "none") throw this.#execution.error("invalid value; expected string");
    if (value.kind !== "string") {
      throw this.#execution.error(
        `wrong type for value; expected string; got ${typeNameOf(value)}`,
      );
    }
  }
}
