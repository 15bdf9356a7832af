import { compareText } from "./go-text.ts";
import {
  any,
  type GoType,
  type IntType,
  int,
  type MapType,
  type PointerType,
  plain,
  type SliceType,
  type StructType,
  typeName,
  uint64,
} from "./go-type.ts";

/** Data as a template sees it: with its Go type. Members are looked at when they are asked for. */
export type GoValue =
  | { readonly kind: "none" }
  | NilValue
  | { readonly kind: "bool"; readonly bool: boolean }
  | IntValue
  | { readonly kind: "float64"; readonly float: number }
  | { readonly kind: "string"; readonly text: string }
  | SliceValue
  | MapValue
  | StructValue
  | PointerValue
  | ObjectValue;

type Members = Readonly<Record<string, unknown>>;

/** `null` of plain data, or of an `interface {}`: there it is no value once it is looked at. */
export interface NilValue {
  readonly kind: "nil";
  readonly interface: boolean;
}

export interface IntValue {
  readonly kind: "int";
  readonly type: IntType;
  readonly int: bigint;
}

export interface SliceValue {
  readonly kind: "slice";
  readonly type: SliceType;
  /** Go tells a list that never was from an empty one, in JSON and in `%#v`. */
  readonly items: readonly unknown[] | null;
}

export interface MapValue {
  readonly kind: "map";
  readonly type: MapType;
  readonly members: Members | null;
}

export interface StructValue {
  readonly kind: "struct";
  readonly type: StructType;
  readonly members: Members;
}

export interface PointerValue {
  readonly kind: "pointer";
  readonly type: PointerType;
  readonly target: StructValue | null;
}

/** An object without a type. */
export interface ObjectValue {
  readonly kind: "object";
  readonly members: Members;
}

/** Go's zero `reflect.Value`: the literal `nil`, a missing key of a map. */
export const none: GoValue = { kind: "none" };
const nil: GoValue = { kind: "nil", interface: false };
const nilInterface: GoValue = { kind: "nil", interface: true };

export function boolValue(value: boolean): GoValue {
  return { kind: "bool", bool: value };
}

export function intValue(value: bigint | number, type: IntType = int): GoValue {
  return { kind: "int", type, int: BigInt(value) };
}

export function floatValue(value: number): GoValue {
  return { kind: "float64", float: value };
}

export function stringValue(text: string): GoValue {
  return { kind: "string", text };
}

/** `data` as a value of `type`; what does not fit the type is taken as it looks. */
export function wrap(data: unknown, type: GoType): GoValue {
  const absent = data === null || data === undefined;
  switch (type.kind) {
    case "bool":
      return absent ? boolValue(false) : wrapPlain(data);
    case "string":
      return absent ? stringValue("") : wrapPlain(data);
    case "float64":
      return absent || typeof data === "number" ? floatValue(data ?? 0) : wrapPlain(data);
    case "int": {
      const whole = data ?? 0;
      return typeof whole === "bigint" || isWhole(whole) ? intValue(whole, type) : wrapPlain(data);
    }
    case "slice": {
      if (absent) return { kind: "slice", type, items: null };
      return Array.isArray(data) ? { kind: "slice", type, items: data } : wrapPlain(data);
    }
    case "map":
      if (absent) return { kind: "map", type, members: null };
      return isObject(data) ? { kind: "map", type, members: data } : wrapPlain(data);
    case "struct":
      return structValue(data, type) ?? wrapPlain(data);
    case "pointer": {
      const target = absent ? null : structValue(data, type.to);
      return target === undefined ? wrapPlain(data) : { kind: "pointer", type, target };
    }
    case "any":
      return absent ? nilInterface : wrapPlain(data);
    case "plain":
      return wrapPlain(data);
  }
}

function isWhole(data: unknown): data is number {
  return Number.isSafeInteger(data);
}

function structValue(data: unknown, type: StructType): StructValue | undefined {
  if (data === null || data === undefined) return { kind: "struct", type, members: {} };
  return isObject(data) ? { kind: "struct", type, members: data } : undefined;
}

function wrapPlain(data: unknown): GoValue {
  switch (typeof data) {
    case "boolean":
      return boolValue(data);
    case "string":
      return stringValue(data);
    case "number":
      return Number.isSafeInteger(data) ? intValue(data) : floatValue(data);
    case "bigint":
      return intValue(data, data < 2n ** 63n ? int : uint64);
    default:
      if (Array.isArray(data)) return { kind: "slice", type: anySlice, items: data };
      return isObject(data) ? { kind: "object", members: data } : nil;
  }
}

const anySlice: SliceType = { kind: "slice", element: plain };

function isObject(data: unknown): data is Members {
  return typeof data === "object" && data !== null && !Array.isArray(data);
}

/** The way back, for `json`. */
export function toData(value: GoValue): unknown {
  switch (value.kind) {
    case "none":
    case "nil":
      return null;
    case "bool":
      return value.bool;
    case "int":
      return value.int;
    case "float64":
      return value.float;
    case "string":
      return value.text;
    case "slice":
      return value.items;
    case "pointer":
      return value.target === null ? null : value.target.members;
    default:
      return value.members;
  }
}

/** As Go's messages name it. */
export function typeNameOf(value: GoValue): string {
  switch (value.kind) {
    case "none":
      return "nil";
    case "nil":
      return value.interface ? typeName(any) : "nil";
    case "int":
    case "slice":
    case "map":
    case "struct":
    case "pointer":
      return typeName(value.type);
    default:
      return value.kind;
  }
}

/** What an `interface {}` holds. */
export function held(value: GoValue): GoValue {
  return value.kind === "nil" && value.interface ? none : value;
}

/** Go's nil, of whatever type. */
export function isNil(value: GoValue): boolean {
  switch (value.kind) {
    case "none":
    case "nil":
      return true;
    case "slice":
      return value.items === null;
    case "map":
      return value.members === null;
    case "pointer":
      return value.target === null;
    default:
      return false;
  }
}

/** What a pointer points to; a nil pointer stays. */
export function indirect(value: GoValue): GoValue {
  return value.kind === "pointer" ? (value.target ?? value) : value;
}

/** Go's truth: not zero, not empty, not nil; a struct always. */
export function isTrue(value: GoValue): boolean {
  switch (value.kind) {
    case "none":
    case "nil":
      return false;
    case "bool":
      return value.bool;
    case "int":
      return value.int !== 0n;
    case "float64":
      return value.float !== 0;
    case "string":
      return value.text !== "";
    case "slice":
      return value.items !== null && value.items.length > 0;
    case "map":
      return value.members !== null && keysOf(value).length > 0;
    case "pointer":
      return value.target !== null;
    case "struct":
    case "object":
      return true;
  }
}

export function itemAt(slice: SliceValue, at: number): GoValue {
  return wrap(slice.items?.[at], slice.type.element);
}

/** In Go's order. */
export function keysOf(value: MapValue | ObjectValue): string[] {
  const members = value.members ?? {};
  return Object.keys(members)
    .filter((key) => members[key] !== undefined)
    .sort(compareText);
}

/** `undefined` for a key that is not there. */
export function memberAt(value: MapValue | ObjectValue, key: string): GoValue | undefined {
  const member =
    value.members !== null && Object.hasOwn(value.members, key) ? value.members[key] : undefined;
  if (member === undefined) return undefined;
  return wrap(member, value.kind === "map" ? value.type.element : plain);
}

/** `undefined` for a field that the type does not have. */
export function fieldOf(value: StructValue, name: string): GoValue | undefined {
  if (!Object.hasOwn(value.type.fields, name)) return undefined;
  const member = Object.hasOwn(value.members, name) ? value.members[name] : undefined;
  return wrap(member, value.type.fields[name]!);
}
