import { corrupt, overLimit, wrongType } from "./error.ts";
import type { GobInput } from "./number.ts";
import type { GobType, Read } from "./type.ts";
import { firstDefinedId, readWireType, type WireType } from "./wire-type.ts";

/** More definitions than any peer sends in one stream. */
const definitionsMax = 128;

/** Definitions remembered for all streams together; what comes after is read anew each time. */
const rememberedMax = 512;
/** Longer definitions are not remembered: those of peers take a tenth of this. */
const rememberedBytesMax = 1024;

/**
 * What a stream has defined so far, and the readers made from it.
 *
 * Every payload defines its types again, with the same octets as the one before: half the work of
 * reading a small payload. So this is a tree that all streams walk from its root, one step for each
 * definition, and readers are found where an earlier stream left them.
 *
 *   root ──"struct peerSummary"──▶ ○ ──"list of …"──▶ ○ ──"struct connectionSummary"──▶ ○
 *     └────"struct gossipState"──▶ ○ ──▶ …
 *
 * Nothing changes a node but what it remembers, so that streams do not feel each other.
 */
export class KnownTypes {
  readonly #types: ReadonlyMap<number, WireType>;
  /** By type, then by wire id: a topology repeats two types for every peer. */
  readonly #readers = new Map<object, Map<number, unknown>>();
  readonly #next: Array<{ readonly message: Uint8Array; readonly types: KnownTypes }> = [];
  readonly #budget: { left: number };

  constructor(types: ReadonlyMap<number, WireType>, budget: { left: number }) {
    this.#types = types;
    this.#budget = budget;
  }

  /** With what `message` defines for `id`; the message begins at `begin`, its body at its position. */
  define(id: number, message: GobInput, begin: number): KnownTypes {
    for (const known of this.#next) if (message.equals(known.message, begin)) return known.types;
    if (id < firstDefinedId || this.#types.has(id)) throw corrupt(`type ${id} defined again`);
    if (this.#types.size >= definitionsMax) throw overLimit(`more than ${definitionsMax} types`);
    const type = readWireType(message);
    const types = new KnownTypes(new Map(this.#types).set(id, type), this.#budget);
    const octets = message.bytes.slice(begin, message.end);
    if (this.#budget.left > 0 && octets.length <= rememberedBytesMax) {
      this.#budget.left--;
      this.#next.push({ message: octets, types });
    }
    return types;
  }

  /** @throws GobError `GOB_TYPE` when values of wire type `id` cannot be read as `type` */
  reader<T>(type: GobType<T>, id: number): Read<T> {
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

/** Where every stream begins: nothing is defined. */
export const knownTypes = new KnownTypes(new Map(), { left: rememberedMax });
