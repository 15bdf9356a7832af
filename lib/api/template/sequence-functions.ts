import { byteLength, fromBytes, toBytes } from "./go-text.ts";
import { uint8 } from "./go-type.ts";
import {
  type GoValue,
  indirect,
  intValue,
  itemAt,
  keysOf,
  memberAt,
  none,
  stringValue,
  typeNameOf,
  wrap,
} from "./go-value.ts";
import type { Budget } from "./limits.ts";
import { functionFailure } from "./template-error.ts";

/** `len`. A `null` of unknown type is an empty list. */
export function lengthOf(operand: GoValue, budget: Budget): GoValue {
  const value = indirect(operand);
  switch (value.kind) {
    case "string":
      budget.spend(value.text.length);
      return intValue(byteLength(value.text));
    case "slice":
      return intValue(value.items?.length ?? 0);
    case "map":
    case "object": {
      const { length } = keysOf(value);
      budget.spend(length);
      return intValue(length);
    }
    case "nil":
      return intValue(0);
    case "none":
    case "pointer":
      throw functionFailure("len of nil pointer");
    default:
      throw functionFailure(`len of type ${typeNameOf(value)}`);
  }
}

/** `index x 1 2` is Go's `x[1][2]`. */
export function indexInto(operand: GoValue, indices: readonly GoValue[], budget: Budget): GoValue {
  if (operand.kind === "none") throw functionFailure("index of untyped nil");
  return indices.reduce((value, index) => indexOnce(value, index, budget), operand);
}

function indexOnce(operand: GoValue, index: GoValue, budget: Budget): GoValue {
  const value = indirect(operand);
  switch (value.kind) {
    case "slice":
      return itemAt(value, position(index, (value.items?.length ?? 0) - 1));
    case "string": {
      budget.spend(value.text.length);
      const bytes = toBytes(value.text);
      return intValue(bytes[position(index, bytes.length - 1)] ?? 0, uint8);
    }
    case "map":
    case "object":
      if (index.kind === "none") throw functionFailure("value is nil; should be of type string");
      if (index.kind !== "string") {
        throw functionFailure(`value has type ${typeNameOf(index)}; should be string`);
      }
      return memberAt(value, index.text) ?? zeroMember(value);
    case "none":
    case "nil":
    case "pointer":
      throw functionFailure("index of nil pointer");
    default:
      throw functionFailure(`can't index item of type ${typeNameOf(value)}`);
  }
}

function zeroMember(value: GoValue): GoValue {
  return value.kind === "map" ? wrap(undefined, value.type.element) : none;
}

/** `slice x 1 2` is Go's `x[1:2]`. A list has no hidden capacity beyond its length here. */
export function sliceOf(operand: GoValue, indices: readonly GoValue[], budget: Budget): GoValue {
  if (operand.kind === "none") throw functionFailure("slice of untyped nil");
  if (indices.length > 3) throw functionFailure(`too many slice indexes: ${indices.length}`);
  switch (operand.kind) {
    case "string": {
      if (indices.length === 3) throw functionFailure("cannot 3-index slice a string");
      budget.spend(operand.text.length);
      const bytes = toBytes(operand.text);
      const [from, to] = bounds(indices, bytes.length);
      return stringValue(fromBytes(bytes.subarray(from, to)));
    }
    case "slice": {
      const items = operand.items ?? [];
      const [from, to] = bounds(indices, items.length);
      budget.spend(to - from);
      return { ...operand, items: operand.items === null ? null : items.slice(from, to) };
    }
    default:
      throw functionFailure(`can't slice item of type ${typeNameOf(operand)}`);
  }
}

function bounds(indices: readonly GoValue[], length: number): [from: number, to: number] {
  const given = indices.map((index) => position(index, length));
  const [from = 0, to = length, capacity] = given;
  if (from > to) throw functionFailure(`invalid slice index: ${from} > ${to}`);
  if (capacity !== undefined && to > capacity) {
    throw functionFailure(`invalid slice index: ${to} > ${capacity}`);
  }
  return [from, to];
}

function position(index: GoValue, last: number): number {
  if (index.kind === "none") throw functionFailure("cannot index slice/array with nil");
  if (index.kind !== "int") {
    throw functionFailure(`cannot index slice/array with type ${typeNameOf(index)}`);
  }
  if (index.int < 0n || index.int > BigInt(last)) {
    throw functionFailure(`index out of range: ${index.int}`);
  }
  return Number(index.int);
}
