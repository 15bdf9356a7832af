import { type Format, pad, plainFormat } from "./format.ts";
import { formatFloat } from "./format-float.ts";
import { formatInt } from "./format-int.ts";
import { formatString, formatText } from "./format-string.ts";
import { any, int, plain, typeName } from "./go-type.ts";
import {
  fieldOf,
  type GoValue,
  held,
  keysOf,
  type MapValue,
  memberAt,
  none,
  type ObjectValue,
  type PointerValue,
  type SliceValue,
  type StructValue,
  stringValue,
  typeNameOf,
  wrap,
} from "./go-value.ts";
import type { BoundedText } from "./limits.ts";

/** What a template prints for `{{.Some.Value}}`: Go's `%v` of what a pointer points to. */
export function printValue(out: BoundedText, value: GoValue): void {
  formatValue(out, printable(value), plainFormat);
}

/** No value prints as `<no value>`, a pointer as what it points to. */
export function printable(value: GoValue): GoValue {
  if (held(value).kind === "none") return stringValue("<no value>");
  return value.kind === "pointer" ? (value.target ?? value) : value;
}

/** Prints `value` by the verb and flags of `format`, as Go's `fmt` does. */
export function formatValue(out: BoundedText, value: GoValue, format: Format): void {
  if (format.verb === "T") {
    formatText(out, isNothing(value) ? "<nil>" : typeNameOf(value), format);
  } else if (format.verb === "p") {
    // Nothing here has an address.
    formatWrongVerb(out, value, format);
  } else {
    formatNested(out, value, format);
  }
}

function isNothing({ kind }: GoValue): boolean {
  return kind === "none" || kind === "nil";
}

/** Verbs apply to the leaves of a value: `%d` of a list prints every number of it. */
function formatNested(out: BoundedText, value: GoValue, format: Format): void {
  if (!formatByKind(out, value, format)) formatWrongVerb(out, value, format);
}

/** `%!d(string=x)`: says what was there instead of failing. */
function formatWrongVerb(out: BoundedText, value: GoValue, format: Format): void {
  out.write(`%!${format.verb}(`);
  if (isNothing(value)) {
    out.write("<nil>");
  } else {
    out.write(`${typeNameOf(value)}=`);
    formatNested(out, value, { ...format, verb: "v" });
  }
  out.write(")");
}

/** False, with nothing written, for a verb that does not go with the value. Anything goes with `v`. */
function formatByKind(out: BoundedText, value: GoValue, format: Format): boolean {
  switch (value.kind) {
    case "nil":
      if (value.interface) return formatEmpty(out, format);
      return formatByKind(out, none, format);
    case "none":
      if (format.verb !== "v") return false;
      pad(out, "<nil>", format);
      return true;
    case "bool":
      if (format.verb !== "t" && format.verb !== "v") return false;
      pad(out, String(value.bool), format);
      return true;
    case "int":
      return formatInt(out, value, format);
    case "float64":
      return formatFloat(out, value.float, format);
    case "string":
      return formatString(out, value.text, format);
    case "slice":
      return formatSlice(out, value, format);
    case "map":
      return formatMap(out, value, format);
    case "struct":
      return formatStruct(out, value, format);
    case "pointer":
      return formatPointer(out, value, format);
    case "object":
      return formatObject(out, value, format);
  }
}

/** An `interface {}` within a value that holds nothing, by whatever verb. */
function formatEmpty(out: BoundedText, format: Format): boolean {
  out.write(format.source ? `${typeName(any)}(nil)` : "<nil>");
  return true;
}

/** What stands before, between and after the parts of a value. */
type Brackets = readonly [open: string, between: string, close: string];

const sliceBrackets: Brackets = ["[", " ", "]"];
const mapBrackets: Brackets = ["map[", " ", "]"];
const structBrackets: Brackets = ["{", " ", "}"];

/** `%#v`: the same in Go source, where the type stands before the braces. */
function sourceBrackets(typeName: string): Brackets {
  return [`${typeName}{`, ", ", "}"];
}

function formatParts<Part>(
  out: BoundedText,
  [open, between, close]: Brackets,
  parts: readonly Part[],
  write: (part: Part) => void,
): void {
  out.write(open);
  parts.forEach((part, at) => {
    if (at > 0) out.write(between);
    write(part);
  });
  out.write(close);
}

function formatSlice(out: BoundedText, slice: SliceValue, format: Format): boolean {
  const { items, type } = slice;
  if (items === null && format.source) {
    out.write(`${typeName(type)}(nil)`);
    return true;
  }
  const brackets = format.source ? sourceBrackets(typeName(type)) : sliceBrackets;
  formatParts(out, brackets, items ?? [], (item) =>
    formatNested(out, wrap(item, type.element), format),
  );
  return true;
}

function formatMap(out: BoundedText, map: MapValue, format: Format): boolean {
  if (map.members === null && format.source) {
    out.write(`${typeName(map.type)}(nil)`);
    return true;
  }
  const brackets = format.source ? sourceBrackets(typeName(map.type)) : mapBrackets;
  formatParts(out, brackets, keysOf(map), (key) => {
    formatNested(out, stringValue(key), format);
    out.write(":");
    formatNested(out, memberAt(map, key) ?? none, format);
  });
  return true;
}

function formatStruct(out: BoundedText, value: StructValue, format: Format): boolean {
  const { name, fields, print, additions = [] } = value.type;
  // A struct that prints itself does so by the verbs of strings.
  if (print !== undefined && !format.source && ["v", "s", "x", "X", "q"].includes(format.verb)) {
    return formatString(out, print(value.members), format);
  }
  const members = Object.keys(fields)
    .filter((field) => !additions.includes(field))
    .map((field) => ({ field, value: fieldOf(value, field) }));
  return formatFields(out, name, members, format);
}

function formatObject(out: BoundedText, object: ObjectValue, format: Format): boolean {
  const members = Object.entries(object.members)
    .filter(([, data]) => data !== undefined)
    .map(([field, data]) => ({ field, value: wrap(data, plain) }));
  return formatFields(out, typeNameOf(object), members, format);
}

function formatFields(
  out: BoundedText,
  typeName: string,
  members: ReadonlyArray<{ readonly field: string; readonly value: GoValue | undefined }>,
  format: Format,
): boolean {
  const brackets = format.source ? sourceBrackets(typeName) : structBrackets;
  formatParts(out, brackets, members, ({ field, value }) => {
    if (format.named || format.source) out.write(`${field}:`);
    formatNested(out, value ?? none, format);
  });
  return true;
}

/** A nil pointer is nought to the verbs of numbers; any other prints what it points to. */
function formatPointer(out: BoundedText, value: PointerValue, format: Format): boolean {
  if (value.target !== null) {
    if (value.target.type.print === undefined || format.source) out.write("&");
    return formatStruct(out, value.target, format);
  }
  if (format.source) {
    out.write(`(${typeName(value.type)})(nil)`);
    return true;
  }
  if (format.verb === "v") {
    pad(out, "<nil>", format);
    return true;
  }
  return (
    ["b", "o", "d", "x", "X"].includes(format.verb) &&
    formatInt(out, { kind: "int", type: int, int: 0n }, format)
  );
}
