import { fromUtf8, utf8 } from "../../base/bytes.ts";
import type { ByteWriter } from "../byte-writer.ts";
import { corrupt, overLimit, wrongType } from "./error.ts";
import { type GobInput, writeInt, writeUint } from "./number.ts";

/**
 * Type definitions inside a stream (mesh-protocol §6.3). A definition is itself a gob struct with
 * exactly one field present:
 *
 *   wire type   0 array {common, element, length}    1 slice {common, element}
 *               2 struct {common, fields}            3 map {common, key, element}
 *               4 5 6 self-encoding {common}
 *   common      0 name   1 id              field     0 name   1 id
 */
export type WireType =
  | { readonly kind: "array"; readonly element: number; readonly length: number }
  | { readonly kind: "slice"; readonly element: number }
  | { readonly kind: "struct"; readonly fields: readonly WireField[] }
  | { readonly kind: "map"; readonly key: number; readonly element: number }
  | { readonly kind: "opaque" };

export interface WireField {
  readonly name: string;
  readonly id: number;
}

/** Ids that every stream knows without a definition. */
export const builtIn = {
  bool: 1,
  int: 2,
  uint: 3,
  float: 4,
  bytes: 5,
  string: 6,
  complex: 7,
  interface: 8,
} as const;

/** Lowest id that a stream may define. */
export const firstDefinedId = 64;

/** More fields than any peer sends; keeps a hostile definition small. */
const structFieldsMax = 256;

/** Reads the pairs of a struct; `read` returns false for a field it does not know. */
function eachField(input: GobInput, read: (field: number) => boolean): void {
  let field = -1;
  while (input.remaining > 0) {
    const delta = input.uint();
    if (delta === 0) return;
    field += delta;
    if (!read(field)) throw corrupt("unknown field in a type definition");
  }
}

function readCommon(input: GobInput): void {
  eachField(input, (field) => {
    // Names of types and the id repeated here are ignored: peers disagree on both.
    if (field === 0) input.take(input.uint(), "a type name");
    else if (field === 1) input.int();
    return field <= 1;
  });
}

function readStructField(input: GobInput): WireField {
  let name = "";
  let id = 0;
  eachField(input, (field) => {
    if (field === 0) name = fromUtf8(input.take(input.uint(), "a field name"));
    else if (field === 1) id = input.int();
    return field <= 1;
  });
  return { name, id };
}

function readStructFields(input: GobInput): WireField[] {
  const count = input.uint();
  if (count > structFieldsMax) throw overLimit(`struct of ${count} fields`);
  const fields: WireField[] = [];
  for (let i = 0; i < count; i++) fields.push(readStructField(input));
  return fields;
}

function readVariant(input: GobInput, variant: number): WireType {
  let first = 0;
  let second = 0;
  let fields: WireField[] = [];
  eachField(input, (field) => {
    if (field === 0) readCommon(input);
    else if (variant === 2 && field === 1) fields = readStructFields(input);
    else if (variant <= 3 && field === 1) first = input.int();
    else if ((variant === 0 || variant === 3) && field === 2) second = input.int();
    else return false;
    return true;
  });
  if (variant === 0) return { kind: "array", element: first, length: second };
  if (variant === 1) return { kind: "slice", element: first };
  if (variant === 2) return { kind: "struct", fields };
  return variant === 3 ? { kind: "map", key: first, element: second } : { kind: "opaque" };
}

/** Reads one definition; the whole of `input` must belong to it. */
export function readWireType(input: GobInput): WireType {
  let type: WireType | undefined;
  eachField(input, (field) => {
    if (field > 6) return false;
    if (type !== undefined) throw corrupt("type definition of two kinds");
    type = readVariant(input, field);
    return true;
  });
  if (type === undefined) throw wrongType("a type definition", "nothing");
  if (input.remaining > 0) throw corrupt("data after a type definition");
  return type;
}

/** Writes the definition of type `id` under `name`, as a fresh Go process would. */
export function writeWireType(out: ByteWriter, id: number, name: string, type: WireType): void {
  const variant = { array: 0, slice: 1, struct: 2, map: 3, opaque: 4 }[type.kind];
  writeUint(out, variant + 1);
  writeUint(out, 1);
  writeNameAndId(out, name, id);
  if (type.kind === "struct") {
    if (type.fields.length > 0) {
      writeUint(out, 1);
      writeUint(out, type.fields.length);
      for (const field of type.fields) writeNameAndId(out, field.name, field.id);
    }
  } else if (type.kind === "map") {
    writeUint(out, 1);
    writeInt(out, type.key);
    writeUint(out, 1);
    writeInt(out, type.element);
  } else if (type.kind !== "opaque") {
    writeUint(out, 1);
    writeInt(out, type.element);
    if (type.kind === "array") {
      writeUint(out, 1);
      writeInt(out, type.length);
    }
  }
  out.byte(0);
  out.byte(0);
}

function writeNameAndId(out: ByteWriter, name: string, id: number): void {
  if (name !== "") {
    const text = utf8(name);
    out.byte(1);
    writeUint(out, text.length);
    out.bytes(text);
    out.byte(1);
  } else {
    out.byte(2);
  }
  writeInt(out, id);
  out.byte(0);
}
