import { concatBytes, emptyBytes } from "../../base/bytes.ts";
import { corrupt, GobError, overLimit, truncated, wrongType } from "./error.ts";
import { GobInput } from "./number.ts";
import type { GobType, Read } from "./type.ts";
import { firstDefinedId, readWireType, type WireType } from "./wire-type.ts";

/** More definitions than any peer sends in one stream. */
const definitionsMax = 128;

/** The definitions of one stream, and the readers made from them. */
class StreamTypes {
  readonly #types = new Map<number, WireType>();
  /** Readers by type, then by wire id: a topology repeats two types for every peer. */
  readonly #readers = new Map<object, Map<number, unknown>>();

  /** Takes one message. Returns where its value begins, or `undefined` for a definition. */
  accept(message: GobInput): { id: number; input: GobInput } | undefined {
    const id = message.int();
    if (id >= 0) return { id, input: message };
    if (-id < firstDefinedId || this.#types.has(-id)) throw corrupt(`type ${-id} defined again`);
    if (this.#types.size >= definitionsMax) throw overLimit(`more than ${definitionsMax} types`);
    this.#types.set(-id, readWireType(message));
    return undefined;
  }

  value<T>(type: GobType<T>, id: number, input: GobInput): T {
    const read = this.#reader(type, id);
    if (!type.isStruct && input.uint() !== 0) throw corrupt("top-level value without its marker");
    return read(input);
  }

  #reader<T>(type: GobType<T>, id: number): Read<T> {
    const readers = this.#readers.get(type) ?? new Map<number, unknown>();
    this.#readers.set(type, readers);
    const known = readers.get(id);
    if (known !== undefined) return known as Read<T>;
    const read = type.reader(id, (wanted) => {
      const found = this.#types.get(wanted);
      if (found === undefined) throw wrongType("a defined type", `type ${wanted}`);
      return found;
    });
    readers.set(id, read);
    return read;
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
    return new GobInput(this.#input.take(length, "a message"));
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
