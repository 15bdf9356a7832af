import { concatBytes, emptyBytes } from "../../base/bytes.ts";
import { corrupt, GobError, overLimit, truncated } from "./error.ts";
import { knownTypes } from "./known-types.ts";
import { GobInput } from "./number.ts";
import type { GobType } from "./type.ts";

/** The definitions of one stream so far. */
class StreamTypes {
  #known = knownTypes;

  /** Takes one message. Returns where its value begins, or `undefined` for a definition. */
  accept(message: GobInput): { id: number; input: GobInput } | undefined {
    const begin = message.at;
    const id = message.int();
    if (id >= 0) return { id, input: message };
    this.#known = this.#known.define(-id, message, begin);
    return undefined;
  }

  value<T>(type: GobType<T>, id: number, input: GobInput): T {
    const read = this.#known.reader(type, id);
    if (!type.isStruct && input.uint() !== 0) throw corrupt("top-level value without its marker");
    return read(input);
  }
}

/** Reads the values of one complete stream. */
export class GobDecoder {
  readonly #types = new StreamTypes();
  readonly #input: GobInput;

  constructor(bytes: Uint8Array) {
    this.#input = new GobInput(bytes);
  }

  /** Whether nothing follows the last value read. */
  get ended(): boolean {
    return this.#input.remaining === 0;
  }

  /** @throws GobError with `atEnd` true when no further value begins */
  read<T>(type: GobType<T>): T {
    for (;;) {
      const message = this.#message();
      const value = this.#types.accept(message);
      if (value !== undefined) return this.#types.value(type, value.id, value.input);
    }
  }

  #message(): GobInput {
    const length = this.ended ? 0 : this.#input.uint();
    // An empty message counts as the end of the data, as in Go.
    if (length === 0) throw new GobError("GOB_END", "gob: no further value");
    return this.#input.part(length, "a message");
  }
}

/** Reads values from a stream that arrives in pieces (protocol version 1). */
export class GobStream {
  readonly #types = new StreamTypes();
  readonly #messageBytesMax: number;
  #chunks: Uint8Array[] = [];
  #buffered = 0;

  constructor(options: { messageBytesMax?: number } = {}) {
    this.#messageBytesMax = options.messageBytesMax ?? 64 << 20;
  }

  push(chunk: Uint8Array): void {
    if (chunk.length === 0) return;
    this.#chunks.push(chunk);
    this.#buffered += chunk.length;
  }

  /** The next value, or `undefined` while it has not arrived whole. */
  tryRead<T>(type: GobType<T>): { value: T } | undefined {
    for (;;) {
      const message = this.#message();
      if (message === undefined) return undefined;
      const value = this.#types.accept(new GobInput(message));
      if (value === undefined) continue;
      return { value: this.#types.value(type, value.id, value.input) };
    }
  }

  /** What was pushed and not read, e.g. to hand over to another reader. */
  rest(): Uint8Array {
    return this.#join();
  }

  #message(): Uint8Array | undefined {
    const size = this.#announced();
    if (size === undefined || this.#buffered < size) return undefined;
    const joined = this.#join();
    const head = new GobInput(joined);
    const length = head.uint();
    this.#chunks = [joined.subarray(size)];
    this.#buffered = joined.length - size;
    return joined.subarray(head.at, head.at + length);
  }

  /** Octets of the next message with its length, when its length has arrived. */
  #announced(): number | undefined {
    if (this.#buffered === 0) return undefined;
    const first = this.#chunks.find((chunk) => chunk.length > 0)!;
    const enough = first.length >= 9 ? first : this.#join();
    const head = new GobInput(enough);
    if (head.numberSize() > enough.length) return undefined;
    const length = head.uint();
    if (length === 0) throw truncated("an empty message");
    if (length > this.#messageBytesMax) throw overLimit(`message of ${length} octets`);
    return head.at + length;
  }

  /** Joins lazily: a large message costs one copy, not one per chunk. */
  #join(): Uint8Array {
    const chunks = this.#chunks;
    if (chunks.length === 1) return chunks[0]!;
    const joined = chunks.length === 0 ? emptyBytes : concatBytes(...chunks);
    this.#chunks = [joined];
    return joined;
  }
}
