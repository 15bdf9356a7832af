import { compareText } from "./go-text.ts";
import type { GoType } from "./go-type.ts";
import { fieldOf, type GoValue, isNil, type StructValue, typeNameOf } from "./go-value.ts";
import type { Budget } from "./limits.ts";
import { functionFailure } from "./template-error.ts";

/**
 * Go's `eq` and `lt`: numbers of one sort, strings and booleans among themselves; an `int` and a
 * float are different sorts, `int` and `uint64` are one.
 */
const ordered = ["int", "float64", "string"];
const basic = ["bool", ...ordered];

export function equals(a: GoValue, b: GoValue, budget: Budget): boolean {
  if (a.kind === "int" && b.kind === "int") return a.int === b.int;
  if (a.kind === "float64" && b.kind === "float64") return a.float === b.float;
  if (a.kind === "string" && b.kind === "string") {
    budget.spend(Math.min(a.text.length, b.text.length));
    return a.text === b.text;
  }
  if (a.kind === "bool" && b.kind === "bool") return a.bool === b.bool;
  if (isNothing(a) || isNothing(b)) return isNil(a) && isNil(b);
  if (isBasic(a) || isBasic(b)) throw functionFailure("incompatible types for comparison");
  if (a.kind !== b.kind) {
    throw functionFailure(`non-comparable types ${typeNameOf(a)}, ${typeNameOf(b)}`);
  }
  if (isNil(a) || isNil(b)) return isNil(a) && isNil(b);
  requireComparable(a);
  requireComparable(b);
  return sameMembers(a, b, budget);
}

/** Negative, 0 or positive. */
export function order(a: GoValue, b: GoValue, budget: Budget): number {
  if (a.kind === "int" && b.kind === "int") return Number(a.int > b.int) - Number(a.int < b.int);
  if (a.kind === "float64" && b.kind === "float64") return a.float - b.float;
  if (a.kind === "string" && b.kind === "string") {
    budget.spend(Math.min(a.text.length, b.text.length));
    return compareText(a.text, b.text);
  }
  const fit = isBasic(a) && isBasic(b) && a.kind !== b.kind;
  throw functionFailure(fit ? "incompatible types for comparison" : "invalid type for comparison");
}

/** Nil without a type of its own. */
function isNothing({ kind }: GoValue): boolean {
  return kind === "none" || kind === "nil";
}

function isBasic({ kind }: GoValue): boolean {
  return basic.includes(kind);
}

function requireComparable(value: GoValue): void {
  if (!isComparable(value)) {
    throw functionFailure(`non-comparable type ${typeNameOf(value)}`);
  }
}

function isComparable(value: GoValue): boolean {
  switch (value.kind) {
    case "slice":
    case "map":
    case "object":
      return false;
    case "struct":
      return Object.values(value.type.fields).every(isComparableType);
    default:
      return true;
  }
}

function isComparableType(type: GoType): boolean {
  if (type.kind === "struct") return Object.values(type.fields).every(isComparableType);
  return type.kind !== "slice" && type.kind !== "map";
}

/** Pointers are equal when they lead to the same thing, structs when their fields are equal. */
function sameMembers(a: GoValue, b: GoValue, budget: Budget): boolean {
  if (a.kind === "pointer" && b.kind === "pointer") {
    return a.type === b.type && a.target?.members === b.target?.members;
  }
  if (a.kind !== "struct" || b.kind !== "struct" || a.type !== b.type) return false;
  return Object.keys(a.type.fields).every((name) => sameField(a, b, name, budget));
}

function sameField(a: StructValue, b: StructValue, name: string, budget: Budget): boolean {
  const [left, right] = [fieldOf(a, name), fieldOf(b, name)];
  return (
    left !== undefined &&
    right !== undefined &&
    left.kind === right.kind &&
    equals(left, right, budget)
  );
}
