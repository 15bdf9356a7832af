import { fromUtf8, utf8 } from "../../base/bytes.ts";
import type { ByteWriter } from "../byte-writer.ts";
import { corrupt, outOfRange, overLimit, truncated, wrongType } from "./error.ts";
import { type GobInput, writeInt, writeUint } from "./number.ts";
import { countOf, type FindType, skipValue } from "./skip.ts";
import { builtIn, type WireType } from "./wire-type.ts";

/** Reads one value whose wire type was checked when the reader was made. */
export type Read<T> = (input: GobInput) => T;

/** Gives each defined type its id within one stream. */
export interface TypeIds {
  idOf(shape: GobShape): number;
}

/** What a stream must know of a type to define it. */
export interface GobShape {
  /** The same object for types that share a definition, as `optional` does with what it wraps. */
  readonly identity: object;
  /** Fixed id of a predefined type; `undefined` for a type that the stream must define. */
  readonly builtInId: number | undefined;
  /** Name in the definition; receivers ignore it. */
  readonly name: string;
  readonly isStruct: boolean;
  /** Types that the definition refers to, in the order in which Go defines them. */
  readonly parts: readonly GobShape[];
  /** The definition, given the ids of its parts. */
  definition(ids: TypeIds): WireType;
}

/**
 * How values of `T` are written and read. Rooms describe their payloads with these and never see
 * type ids: those are chosen when a stream is written and taken from it when it is read.
 */
export interface GobType<T> extends GobShape {
  zero(): T;
  /** Whether Go leaves the value out of a struct. */
  omitted(value: T): boolean;
  write(out: ByteWriter, value: T): void;
  /** Checks that values of wire type `id` can be read as `T`. @throws GobError `GOB_TYPE` */
  reader(id: number, find: FindType): Read<T>;
}

/** The value type of a {@link GobType}. */
export type GobValue<Type> = Type extends GobType<infer T> ? T : never;

/** Far beyond the largest payload of a real cluster; a bound on memory, not on the format. */
const elementsMax = 1 << 20;

function noDefinition(): never {
  throw corrupt("predefined types have no definition");
}

function primitive<T>(
  builtInId: number,
  name: string,
  parts: Pick<GobType<T>, "zero" | "omitted" | "write"> & { read: Read<T> },
): GobType<T> {
  return {
    identity: {},
    builtInId,
    name,
    isStruct: false,
    parts: [],
    zero: parts.zero,
    omitted: parts.omitted,
    write: parts.write,
    definition: noDefinition,
    reader(id) {
      if (id !== builtInId) throw wrongType(name, `type ${id}`);
      return parts.read;
    },
  };
}

const isZero = (value: number): boolean => value === 0;

export const uint: GobType<number> = primitive(builtIn.uint, "uint", {
  zero: () => 0,
  omitted: isZero,
  write: (out, value: number) => writeUint(out, value),
  read: (input) => input.uint(),
});

export const uint64: GobType<bigint> = primitive(builtIn.uint, "uint", {
  zero: () => 0n,
  omitted: (value: bigint) => value === 0n,
  write: (out, value: bigint) => writeUint(out, value),
  read: (input) => input.uint64(),
});

/** An unsigned number of at most `bits` bits (≤ 53); more is `GOB_RANGE`. */
export function uintBits(bits: number): GobType<number> {
  const limit = 2 ** bits;
  return primitive(builtIn.uint, "uint", {
    zero: () => 0,
    omitted: isZero,
    write: (out, value: number) => writeUint(out, value),
    read(input) {
      const value = input.uint();
      if (value >= limit) throw outOfRange(`${value} of ${bits} bits`);
      return value;
    },
  });
}

export const int: GobType<number> = primitive(builtIn.int, "int", {
  zero: () => 0,
  omitted: isZero,
  write: (out, value: number) => writeInt(out, value),
  read: (input) => input.int(),
});

export const int64: GobType<bigint> = primitive(builtIn.int, "int", {
  zero: () => 0n,
  omitted: (value: bigint) => value === 0n,
  write: (out, value: bigint) => writeInt(out, value),
  read: (input) => input.int64(),
});

export const bool: GobType<boolean> = primitive(builtIn.bool, "bool", {
  zero: () => false,
  omitted: (value: boolean) => !value,
  write: (out, value) => out.byte(value ? 1 : 0),
  read: (input) => input.uint64() !== 0n,
});

export const string: GobType<string> = primitive(builtIn.string, "string", {
  zero: () => "",
  omitted: (value: string) => value === "",
  write(out, value) {
    const text = utf8(value);
    writeUint(out, text.length);
    out.bytes(text);
  },
  read: (input) => fromUtf8(input.take(input.uint(), "a string")),
});

export const bytes: GobType<Uint8Array> = primitive(builtIn.bytes, "bytes", {
  zero: () => new Uint8Array(0),
  omitted: (value: Uint8Array) => value.length === 0,
  write(out, value) {
    writeUint(out, value.length);
    out.bytes(value);
  },
  read: (input) => input.copy(input.uint(), "bytes"),
});

/** A list. Go names only lists of a named type, hence the optional name. */
export function slice<T>(element: GobType<T>, options: { name?: string } = {}): GobType<T[]> {
  return {
    identity: {},
    builtInId: undefined,
    name: options.name ?? "",
    isStruct: false,
    parts: [element],
    zero: () => [],
    omitted: (value) => value.length === 0,
    write(out, value) {
      writeUint(out, value.length);
      for (const item of value) element.write(out, item);
    },
    definition: (ids) => ({ kind: "slice", element: ids.idOf(element) }),
    reader(id, find) {
      const type = definedAs("slice", id, find);
      const read = element.reader(type.element, find);
      return (input) => {
        const count = countOf(input, 1);
        if (count > elementsMax) throw overLimit(`list of ${count} elements`);
        const items: T[] = [];
        for (let left = count; left > 0; left--) {
          // A struct may end where the message ends; a list may not have such elements.
          if (input.remaining === 0) throw truncated("a list");
          items.push(read(input));
        }
        return items;
      };
    },
  };
}

/** A map, as pairs in the order of the wire: keys may be structs. Equal keys are not folded. */
export function map<K, V>(
  key: GobType<K>,
  element: GobType<V>,
  options: { name?: string } = {},
): GobType<Array<[K, V]>> {
  return {
    identity: {},
    builtInId: undefined,
    name: options.name ?? "",
    isStruct: false,
    parts: [key, element],
    zero: () => [],
    // An empty map that exists is sent; `optional` says when there is none.
    omitted: () => false,
    write(out, value) {
      writeUint(out, value.length);
      for (const [k, v] of value) {
        key.write(out, k);
        element.write(out, v);
      }
    },
    definition: (ids) => ({
      kind: "map",
      key: ids.idOf(key),
      element: ids.idOf(element),
    }),
    reader(id, find) {
      const type = definedAs("map", id, find);
      const readKey = key.reader(type.key, find);
      const readElement = element.reader(type.element, find);
      return (input) => {
        const count = countOf(input, 2);
        if (count > elementsMax) throw overLimit(`map of ${count} pairs`);
        const pairs: Array<[K, V]> = [];
        for (let left = count; left > 0; left--) {
          if (input.remaining === 0) throw truncated("a map");
          pairs.push([readKey(input), readElement(input)]);
        }
        return pairs;
      };
    },
  };
}

/** A value that may be absent: Go's nil pointer, nil map and nil list. */
export function optional<T>(type: GobType<T>): GobType<T | undefined> {
  return {
    ...type,
    zero: () => undefined,
    omitted: (value) => value === undefined,
    write(out, value) {
      type.write(out, value === undefined ? type.zero() : value);
    },
  };
}

type StructOf<Fields> = { [Key in keyof Fields]: GobValue<Fields[Key]> };

/** A struct; fields are matched by name and sent in the order given. */
export function struct<Fields extends Record<string, GobShape>>(
  name: string,
  fields: Fields,
): GobType<StructOf<Fields>> {
  type Value = StructOf<Fields>;
  const list: Array<Field<Value>> = [];
  for (const key in fields)
    list.push(field(key, fields[key] as GobShape as GobType<Value[typeof key]>));
  return structOf(name, list);
}

/** One field of a struct `T`, with the type of its value hidden. */
interface Field<T> {
  readonly name: string;
  readonly shape: GobShape;
  clear(whole: Partial<T>): void;
  /** Takes the zero out again if it is an object, which must not be shared; whether it was. */
  forget(whole: Partial<T>): boolean;
  isMissing(whole: Partial<T>): boolean;
  omitted(whole: T): boolean;
  write(out: ByteWriter, whole: T): void;
  reader(id: number, find: FindType): (input: GobInput, into: Partial<T>) => void;
}

function field<T, Key extends keyof T & string>(key: Key, type: GobType<T[Key]>): Field<T> {
  return {
    name: key,
    shape: type,
    clear(whole) {
      whole[key] = type.zero();
    },
    forget(whole) {
      const isObject = typeof whole[key] === "object";
      if (isObject) whole[key] = undefined;
      return isObject;
    },
    isMissing: (whole) => whole[key] === undefined,
    omitted: (whole) => type.omitted(whole[key]),
    write: (out, whole) => type.write(out, whole[key]),
    reader(id, find) {
      const read = type.reader(id, find);
      return (input, into) => {
        into[key] = read(input);
      };
    },
  };
}

function structOf<T extends object>(name: string, fields: ReadonlyArray<Field<T>>): GobType<T> {
  // Fields in their order, so that all values are objects of one kind; those whose zero is an object
  // of its own get it at the end, for most are read meanwhile.
  const empty: Partial<T> = {};
  for (const each of fields) each.clear(empty);
  const late = fields.filter((each) => each.forget(empty));
  const complete = (value: Partial<T>): T => {
    for (const each of late) if (each.isMissing(value)) each.clear(value);
    return value as T;
  };
  const zero = (): T => complete({ ...empty });
  return {
    identity: {},
    builtInId: undefined,
    name,
    isStruct: true,
    parts: fields.map((each) => each.shape),
    zero,
    omitted: () => false,
    write(out, value) {
      let last = -1;
      for (let index = 0; index < fields.length; index++) {
        const each = fields[index]!;
        if (each.omitted(value)) continue;
        writeUint(out, index - last);
        each.write(out, value);
        last = index;
      }
      out.byte(0);
    },
    definition: (ids) => ({
      kind: "struct",
      fields: fields.map((each) => ({ name: each.name, id: ids.idOf(each.shape) })),
    }),
    reader(id, find) {
      const type = definedAs("struct", id, find);
      const steps = type.fields.map((wire) => {
        const known = fields.find((each) => each.name === wire.name);
        if (known !== undefined) return known.reader(wire.id, find);
        return (input: GobInput) => skipValue(input, wire.id, find);
      });
      const common = type.fields.some((wire) => fields.some((each) => each.name === wire.name));
      if (steps.length > 0 && !common) {
        throw wrongType(`struct ${name}`, "a struct with no field in common");
      }
      return (input) => {
        const value = { ...empty };
        for (let at = -1; input.remaining > 0; ) {
          const delta = input.uint();
          if (delta === 0) break;
          at += delta;
          const step = steps[at];
          if (step === undefined) throw corrupt("field number past the definition");
          step(input, value);
        }
        return complete(value);
      };
    },
  };
}

/** The definition behind `id`, which must be of this kind. */
function definedAs<Kind extends WireType["kind"]>(
  kind: Kind,
  id: number,
  find: FindType,
): Extract<WireType, { kind: Kind }> {
  if (id <= builtIn.interface) throw wrongType(`a ${kind}`, `type ${id}`);
  const type = find(id);
  if (type.kind !== kind) throw wrongType(`a ${kind}`, `a ${type.kind}`);
  return type as Extract<WireType, { kind: Kind }>;
}
