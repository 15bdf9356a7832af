import { corrupt, overLimit, truncated } from "./error.ts";
import type { GobInput } from "./number.ts";
import { builtIn, type WireType } from "./wire-type.ts";

/** Finds a definition; throws for an id that the stream neither knows nor defined. */
export type FindType = (id: number) => WireType;

/** Deeper than any payload; recursive definitions end here instead of on our stack. */
const nestingMax = 32;

/** Moves past a value of type `id` that nobody asked for, whatever its kind. */
export function skipValue(input: GobInput, id: number, find: FindType, depth = 0): void {
  if (depth > nestingMax) throw overLimit(`values nested deeper than ${nestingMax}`);
  switch (id) {
    case builtIn.bool:
    case builtIn.int:
    case builtIn.uint:
    case builtIn.float:
      input.uint64();
      return;
    case builtIn.bytes:
    case builtIn.string:
      input.take(input.uint(), "a string");
      return;
    case builtIn.complex:
      input.uint64();
      input.uint64();
      return;
    case builtIn.interface:
      skipInterface(input);
      return;
    default:
      skipDefined(input, find(id), find, depth + 1);
  }
}

/** name, type id, octet count, value; an empty name is a nil interface. */
function skipInterface(input: GobInput): void {
  const nameLength = input.uint();
  if (nameLength === 0) return;
  input.take(nameLength, "a type name");
  input.int();
  input.take(input.uint(), "an interface value");
}

function skipDefined(input: GobInput, type: WireType, find: FindType, depth: number): void {
  switch (type.kind) {
    case "opaque":
      input.take(input.uint(), "a self-encoded value");
      return;
    case "struct":
      for (let field = -1; input.remaining > 0; ) {
        const delta = input.uint();
        if (delta === 0) return;
        field += delta;
        const definition = type.fields[field];
        if (definition === undefined) throw corrupt("field number past the definition");
        skipValue(input, definition.id, find, depth);
      }
      return;
    case "map":
      for (let left = countOf(input, 2); left > 0; left--) {
        if (input.remaining === 0) throw truncated("a map");
        skipValue(input, type.key, find, depth);
        skipValue(input, type.element, find, depth);
      }
      return;
    default: {
      const count = countOf(input, 1);
      if (type.kind === "array" && count !== type.length) throw corrupt("array of another length");
      for (let left = count; left > 0; left--) {
        if (input.remaining === 0) throw truncated("a list");
        skipValue(input, type.element, find, depth);
      }
    }
  }
}

/** Reads a count of elements that take at least `sizeMin` octets each. */
export function countOf(input: GobInput, sizeMin: number): number {
  const count = input.uint();
  if (count * sizeMin > input.remaining) throw corrupt(`count ${count} beyond the data`);
  return count;
}
