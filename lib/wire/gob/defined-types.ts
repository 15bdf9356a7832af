import { emptyBytes } from "../../base/bytes.ts";
import { ByteWriter } from "../byte-writer.ts";
import { writeMessage } from "./message.ts";
import { writeInt } from "./number.ts";
import type { GobShape, TypeIds } from "./type.ts";
import { writeWireType } from "./wire-type.ts";

/** What goes before a value. */
interface Defined {
  /** Of the value's type. */
  readonly id: number;
  /** Messages that define what is not defined yet; often none. */
  readonly definitions: Uint8Array;
  readonly next: DefinedTypes;
}

/**
 * What a stream that is written has defined so far. As every payload defines the same types again,
 * this is a tree that all streams walk from its root, and each definition is written once. Its size
 * follows from the payloads that the program knows, not from what they say.
 */
export class DefinedTypes {
  readonly #ids: StreamIds;
  readonly #defined: ReadonlySet<number>;
  readonly #steps = new Map<object, Defined>();

  constructor(ids: StreamIds, defined: ReadonlySet<number>) {
    this.#ids = ids;
    this.#defined = defined;
  }

  define(shape: GobShape): Defined {
    const known = this.#steps.get(shape.identity);
    if (known !== undefined) return known;
    const ids = this.#ids.copy();
    const defined = new Set(this.#defined);
    const out = new ByteWriter();
    const id = writeDefinitions(out, shape, ids, defined);
    const isNew = defined.size > this.#defined.size;
    const next = isNew ? new DefinedTypes(ids, defined) : this;
    const step = { id, definitions: isNew ? out.finish() : emptyBytes, next };
    this.#steps.set(shape.identity, step);
    return step;
  }
}

function writeDefinitions(
  out: ByteWriter,
  shape: GobShape,
  ids: StreamIds,
  defined: Set<number>,
): number {
  const id = ids.idOf(shape);
  if (shape.builtInId !== undefined || defined.has(id)) return id;
  defined.add(id);
  writeMessage(out, () => {
    writeInt(out, -id);
    writeWireType(out, id, shape.name, shape.definition(ids));
  });
  for (const part of shape.parts) writeDefinitions(out, part, ids, defined);
  return id;
}

/** Ids in Go's order: a struct before its fields, a list or map after its elements. */
class StreamIds implements TypeIds {
  readonly #ids: Map<object, number>;
  #next: number;

  constructor(next: number, ids: ReadonlyMap<object, number> = new Map()) {
    this.#ids = new Map(ids);
    this.#next = next;
  }

  copy(): StreamIds {
    return new StreamIds(this.#next, this.#ids);
  }

  idOf(shape: GobShape): number {
    if (shape.builtInId !== undefined) return shape.builtInId;
    const known = this.#ids.get(shape.identity);
    if (known !== undefined) return known;
    if (!shape.isStruct) for (const part of shape.parts) this.idOf(part);
    const id = this.#next++;
    this.#ids.set(shape.identity, id);
    if (shape.isStruct) for (const part of shape.parts) this.idOf(part);
    return id;
  }
}

/** By the id that the first type of a stream gets. */
const roots = new Map<number, DefinedTypes>();

/** Where a stream begins: nothing is defined. */
export function definedTypes(firstTypeId: number): DefinedTypes {
  const root = roots.get(firstTypeId) ?? new DefinedTypes(new StreamIds(firstTypeId), new Set());
  roots.set(firstTypeId, root);
  return root;
}
