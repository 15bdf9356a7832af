/**
 * What a processor of 64 bits is asked to do here, in words that all of them understand. A program
 * is written once in these; `x86-64.ts` and `arm64.ts` turn each word into instructions.
 *
 * Registers have roles instead of names:
 *
 *   argument0 … 5   of system calls, which lose them; also scratch between two calls
 *   result          of a system call: negative for an error
 *   kept0 … 5       keep their value
 *   stack           its pointer; at the start it points to the number of words of the command
 *                   line, which is followed by their addresses, 0, those of the environment, 0
 *
 * The stack holds no return addresses: a routine that is called calls none itself.
 */
export type Register =
  | "stack"
  | "result"
  | `argument${0 | 1 | 2 | 3 | 4 | 5}`
  | `kept${0 | 1 | 2 | 3 | 4 | 5}`;

/** Bits in memory; a register that is loaded with fewer than 64 has zeros above them. */
export type Size = 8 | 16 | 32 | 64;

/** Between 64-bit numbers with sign. */
export type Relation = "==" | "!=" | "<" | ">=";

/** Instructions and data, and places in them that have names. */
export abstract class Assembler {
  readonly #alignment: number;
  readonly #octets: number[] = [];
  readonly #labels = new Map<string, number>();
  readonly #references: Reference[] = [];

  /** @param alignment octets of which instructions begin at multiples */
  constructor(alignment: number) {
    this.#alignment = alignment;
  }

  /** What follows is called `name`. @throws RangeError when something else is already */
  label(name: string): void {
    if (this.#labels.has(name)) throw new RangeError(`label ${name} is there twice`);
    this.#labels.set(name, this.#octets.length);
  }

  /** Data, among instructions that lead around it. */
  data(octets: Iterable<number>): void {
    this.emit(...octets);
    while (this.length % this.#alignment !== 0) this.emit(0);
  }

  /** to = value, of 32 bits, extended with its sign */
  abstract set(to: Register, value: number): void;
  /** to = where `label` is, wherever the program was loaded */
  abstract address(to: Register, label: string): void;
  abstract move(to: Register, from: Register): void;
  /** to = from + amount */
  abstract add(to: Register, from: Register, amount: number): void;
  /** to = to + other */
  abstract addRegister(to: Register, other: Register): void;
  /** to = to - other */
  abstract subtractRegister(to: Register, other: Register): void;
  /** Up to the next multiple of four. */
  abstract roundUpTo4(register: Register): void;
  /** `offset` is a multiple of the octets that are moved, and not negative. */
  abstract load(size: Size, to: Register, base: Register, offset: number): void;
  abstract store(size: Size, base: Register, offset: number, from: Register): void;
  abstract jump(label: string): void;
  /** A number that is compared with has 12 bits, or is such a one with the sign changed. */
  abstract jumpIf(
    left: Register,
    relation: Relation,
    right: Register | number,
    label: string,
  ): void;
  abstract jumpIfBit(register: Register, bit: number, label: string): void;
  abstract call(label: string): void;
  abstract return(): void;
  /** result = the call of this number with the arguments */
  abstract systemCall(number: number): void;

  // What instructions are made of.

  get length(): number {
    return this.#octets.length;
  }

  emit(...octets: readonly number[]): void {
    this.#octets.push(...octets);
  }

  /** Has `patch` put the distance to `label` into octets emitted before, once all places are known. */
  refer(label: string, patch: Reference["patch"]): void {
    this.#references.push({ label, patch });
  }

  /** @throws RangeError for a label that is not there */
  assemble(): Uint8Array<ArrayBuffer> {
    const octets = Uint8Array.from(this.#octets);
    const view = new DataView(octets.buffer);
    for (const { label, patch } of this.#references) {
      const target = this.#labels.get(label);
      if (target === undefined) throw new RangeError(`label ${label} is not there`);
      patch(view, target);
    }
    return octets;
  }
}

interface Reference {
  readonly label: string;
  /** @param target octets from the beginning of the program */
  patch(view: DataView, target: number): void;
}

/** @throws RangeError unless it is a whole number between the bounds */
export function inRange(value: number, min: number, max: number, what: string): number {
  if (Number.isInteger(value) && value >= min && value <= max) return value;
  throw new RangeError(`${what} ${value} is not between ${min} and ${max}`);
}
