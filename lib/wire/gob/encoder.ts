import { ByteWriter } from "../byte-writer.ts";
import { writeInt, writeUint } from "./number.ts";
import type { GobShape, GobType, TypeIds } from "./type.ts";
import { writeWireType } from "./wire-type.ts";

/**
 * Writes values into one stream: each message is its length, a type id and a body, and the first
 * value of a type is preceded by its definitions, as a fresh Go process writes them.
 *
 *   ┌────────┬─────┬────────────┐ ┌────────┬────┬───────┐
 *   │ length │ −id │ definition │ │ length │ id │ value │ …
 *   └────────┴─────┴────────────┘ └────────┴────┴───────┘
 */
export class GobEncoder {
  readonly #out = new ByteWriter();
  readonly #ids: StreamIds;
  readonly #defined = new Set<number>();

  constructor(options: { firstTypeId?: number } = {}) {
    this.#ids = new StreamIds(options.firstTypeId ?? 65);
  }

  write<T>(type: GobType<T>, value: T): this {
    const id = this.#define(type);
    const body = new ByteWriter();
    writeInt(body, id);
    if (!type.isStruct) body.byte(0);
    type.write(body, value);
    this.#message(body);
    return this;
  }

  bytes(): Uint8Array {
    return this.#out.take();
  }

  #define(shape: GobShape): number {
    const id = this.#ids.idOf(shape);
    if (shape.builtInId !== undefined || this.#defined.has(id)) return id;
    this.#defined.add(id);
    const body = new ByteWriter();
    writeInt(body, -id);
    writeWireType(body, id, shape.name, shape.definition(this.#ids));
    this.#message(body);
    for (const part of shape.parts) this.#define(part);
    return id;
  }

  #message(body: ByteWriter): void {
    writeUint(this.#out, body.length);
    this.#out.bytes(body.take());
  }
}

/** Ids in Go's order: a struct before its fields, a list or map after its elements. */
class StreamIds implements TypeIds {
  readonly #ids = new Map<object, number>();
  #next: number;

  constructor(first: number) {
    this.#next = first;
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
