import { ByteWriter } from "../byte-writer.ts";
import { type DefinedTypes, definedTypes } from "./defined-types.ts";
import { writeMessage } from "./message.ts";
import { writeInt } from "./number.ts";
import type { GobType } from "./type.ts";

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
  #defined: DefinedTypes;

  constructor(options: { firstTypeId?: number } = {}) {
    this.#defined = definedTypes(options.firstTypeId ?? 65);
  }

  write<T>(type: GobType<T>, value: T): this {
    const { id, definitions, next } = this.#defined.define(type);
    this.#defined = next;
    this.#out.bytes(definitions);
    const out = this.#out;
    writeMessage(out, () => {
      writeInt(out, id);
      if (!type.isStruct) out.byte(0);
      type.write(out, value);
    });
    return this;
  }

  /** The whole stream, which ends here. */
  bytes(): Uint8Array {
    return this.#out.finish();
  }
}
