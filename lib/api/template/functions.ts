import { goJson } from "../go-json.ts";
import { equals, order } from "./compare.ts";
import { escapeHtml, escapeJs, escapeQuery } from "./escape-functions.ts";
import { printable } from "./format-value.ts";
import {
  boolValue,
  type GoValue,
  isTrue,
  none,
  stringValue,
  toData,
  typeNameOf,
} from "./go-value.ts";
import { BoundedText, type Budget, workPerCharacter } from "./limits.ts";
import { print, printf, println } from "./printf.ts";
import { indexInto, lengthOf, sliceOf } from "./sequence-functions.ts";
import { functionFailure } from "./template-error.ts";

/** A function that templates may call: Go's built-in ones, and `json`. */
export interface TemplateFunction {
  /** How many operands it must have, and may have at most. */
  readonly least: number;
  readonly most: number;
  /** The first operand must be a string. */
  readonly stringFirst?: boolean;
  /** Operands that decide the result alone: the ones after them are not evaluated. */
  readonly decides?: (operand: GoValue) => boolean;
  readonly call: (operands: readonly GoValue[], budget: Budget) => GoValue;
}

const many = Number.POSITIVE_INFINITY;

function text(write: (out: BoundedText, operands: readonly GoValue[]) => void) {
  return (operands: readonly GoValue[], budget: Budget): GoValue => {
    const out = new BoundedText(budget);
    write(out, operands);
    return stringValue(out.text);
  };
}

/** The operands as one text, then escaped. */
function escaping(how: (text: string) => string): TemplateFunction {
  const call = (operands: readonly GoValue[], budget: Budget): GoValue => {
    const [plain, escaped] = [new BoundedText(budget), new BoundedText(budget)];
    const [first] = operands;
    if (operands.length === 1 && first?.kind === "string") plain.write(first.text);
    else print(plain, operands.map(printable));
    budget.spend(workPerCharacter * plain.text.length);
    escaped.write(how(plain.text));
    return stringValue(escaped.text);
  };
  return { least: 0, most: many, call };
}

function comparison(holds: (order: number) => boolean): TemplateFunction {
  return {
    least: 2,
    most: 2,
    call: ([a = none, b = none], budget) => boolValue(holds(order(a, b, budget))),
  };
}

function equalsAny([first = none, ...others]: readonly GoValue[], budget: Budget): boolean {
  if (others.length === 0) throw functionFailure("missing argument for comparison");
  return others.some((other) => equals(first, other, budget));
}

function json([value = none]: readonly GoValue[], budget: Budget): GoValue {
  const text = new BoundedText(budget);
  text.write(goJson(toData(value)));
  text.spend(2 * text.text.length);
  return stringValue(text.text);
}

/** Nothing in a report can be called. */
function call([callee = none]: readonly GoValue[]): GoValue {
  if (callee.kind === "none") throw functionFailure("call of nil");
  throw functionFailure(`non-function of type ${typeNameOf(callee)}`);
}

export const functions: ReadonlyMap<string, TemplateFunction> = new Map(
  Object.entries<TemplateFunction>({
    and: { least: 1, most: many, decides: (operand) => !isTrue(operand), call: last },
    or: { least: 1, most: many, decides: isTrue, call: last },
    not: { least: 1, most: 1, call: ([operand = none]) => boolValue(!isTrue(operand)) },
    len: { least: 1, most: 1, call: ([operand = none], budget) => lengthOf(operand, budget) },
    index: {
      least: 1,
      most: many,
      call: ([operand = none, ...indices], budget) => indexInto(operand, indices, budget),
    },
    slice: {
      least: 1,
      most: many,
      call: ([operand = none, ...indices], budget) => sliceOf(operand, indices, budget),
    },
    print: { least: 0, most: many, call: text(print) },
    println: { least: 0, most: many, call: text(println) },
    printf: {
      least: 1,
      most: many,
      stringFirst: true,
      call: text((out, [format = none, ...operands]) => {
        if (format.kind === "string") printf(out, format.text, operands);
      }),
    },
    html: escaping(escapeHtml),
    js: escaping(escapeJs),
    urlquery: escaping(escapeQuery),
    eq: {
      least: 1,
      most: many,
      call: (operands, budget) => boolValue(equalsAny(operands, budget)),
    },
    ne: {
      least: 2,
      most: 2,
      call: (operands, budget) => boolValue(!equalsAny(operands, budget)),
    },
    lt: comparison((order) => order < 0),
    le: comparison((order) => order <= 0),
    gt: comparison((order) => order > 0),
    ge: comparison((order) => order >= 0),
    call: { least: 1, most: many, call },
    json: { least: 1, most: 1, call: json },
  }),
);

function last(operands: readonly GoValue[]): GoValue {
  return operands.at(-1) ?? none;
}
