/**
 * What plain data does not say about itself. A template prints and compares by Go's types: a `null`
 * is `[]` as a list, `map[]` as a map and `<nil>` as a switched-off service; an object is `{v w}` as
 * a struct and `map[k:v]` as a map. A caller that knows its data describes it with these.
 */
export type GoType =
  | { readonly kind: "plain" }
  | { readonly kind: "any" }
  | { readonly kind: "bool" }
  | { readonly kind: "string" }
  | { readonly kind: "float64" }
  | IntType
  | SliceType
  | MapType
  | StructType
  | PointerType;

export interface IntType {
  readonly kind: "int";
  /** `int`, `uint8`, …: as Go prints it. */
  readonly name: string;
  readonly unsigned: boolean;
}

export interface SliceType {
  readonly kind: "slice";
  readonly element: GoType;
}

/** Keys are strings. */
export interface MapType {
  readonly kind: "map";
  readonly element: GoType;
}

export interface StructType {
  readonly kind: "struct";
  readonly name: string;
  /** In the order in which Go prints them. */
  readonly fields: Readonly<Record<string, GoType>>;
  /** Go's `String()`: how a value prints instead of by its fields. */
  readonly print?: (data: unknown) => string;
  /** Fields that the original does not have: a value as a whole prints without them. */
  readonly additions?: readonly string[];
}

/** `null` and an absent member are nil. */
export interface PointerType {
  readonly kind: "pointer";
  readonly to: StructType;
}

/**
 * Says nothing: the value is what it looks like. Whole numbers are `int`, an object prints as a
 * struct and can be indexed and ranged over like a map, `null` is a nil pointer.
 */
export const plain: GoType = { kind: "plain" };
/** Go's `interface {}`: like {@link plain}, except that `null` is no value at all. */
export const any: GoType = { kind: "any" };
export const bool: GoType = { kind: "bool" };
export const string: GoType = { kind: "string" };
export const float64: GoType = { kind: "float64" };
export const int: IntType = { kind: "int", name: "int", unsigned: false };
export const uint8: IntType = { kind: "int", name: "uint8", unsigned: true };
export const uint16: IntType = { kind: "int", name: "uint16", unsigned: true };
export const uint64: IntType = { kind: "int", name: "uint64", unsigned: true };

export function slice(element: GoType): SliceType {
  return { kind: "slice", element };
}

export function map(element: GoType): MapType {
  return { kind: "map", element };
}

export function pointer(to: StructType): PointerType {
  return { kind: "pointer", to };
}

/** `T` is the shape of the data, if it has one: then no member can be forgotten. */
export function struct<T extends object = Record<string, unknown>>(
  name: string,
  fields: { readonly [Name in keyof T]-?: GoType },
  options: {
    readonly print?: (data: unknown) => string;
    readonly additions?: readonly (keyof T & string)[];
  } = {},
): StructType {
  return { kind: "struct", name, fields, ...options };
}

/** The type as Go's messages write it. */
export function typeName(type: GoType): string {
  switch (type.kind) {
    case "plain":
    case "any":
      return "interface {}";
    case "int":
    case "struct":
      return type.name;
    case "slice":
      return `[]${typeName(type.element)}`;
    case "map":
      return `map[string]${typeName(type.element)}`;
    case "pointer":
      return `*${type.to.name}`;
    default:
      return type.kind;
  }
}
