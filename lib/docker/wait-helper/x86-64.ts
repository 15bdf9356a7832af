import { Assembler, inRange, type Register, type Relation, type Size } from "./assembler.ts";

/**
 * Instructions of x86-64 (Intel SDM, volume 2), each in the one form that serves all its uses:
 *
 *   +-----+-----------+------------------+-------+------------------+--------------+
 *   | REX | opcode: 1 | mod r/m          | SIB   | displacement: 4  | immediate: 4 |
 *   |     |  or 2     | mod, reg, base   |       |                  |              |
 *   +-----+-----------+------------------+-------+------------------+--------------+
 *     0100 W R 0 B      mod 10: [base + displacement]   SIB only with base rsp or r12
 *     W: 64 bits        mod 11: register
 *     R, B: fourth bit of reg and of base
 */
const numbers: Readonly<Record<Register, number>> = {
  result: 0,
  stack: 4,
  argument0: 7,
  argument1: 6,
  argument2: 2,
  argument3: 10,
  argument4: 8,
  argument5: 9,
  kept0: 3,
  kept1: 5,
  kept2: 12,
  kept3: 13,
  kept4: 14,
  kept5: 15,
};

const wide = 0x48;
const inRegister = 0xc0;
const inMemory = 0x80;
const lowBitsOfStack = 4;
const noIndex = 0x24;

/** The last octet of a conditional jump's opcode. */
const conditions: Readonly<Record<Relation, number>> = {
  "==": 0x84,
  "!=": 0x85,
  "<": 0x8c,
  ">=": 0x8d,
};

const loads: Readonly<Record<Size, { readonly rex: number; readonly opcode: readonly number[] }>> =
  {
    8: { rex: 0x40, opcode: [0x0f, 0xb6] },
    16: { rex: 0x40, opcode: [0x0f, 0xb7] },
    32: { rex: 0x40, opcode: [0x8b] },
    64: { rex: wide, opcode: [0x8b] },
  };

export class X86Assembler extends Assembler {
  constructor() {
    super(1);
  }

  override set(to: Register, value: number): void {
    inRange(value, -(2 ** 31), 2 ** 31 - 1, "constant");
    this.#registers([0xc7], 0, numbers[to]);
    this.#number(value);
  }

  override address(to: Register, label: string): void {
    const register = numbers[to];
    // Relative to the next instruction, which base 5 without memory mode stands for.
    this.emit(wide | ((register >> 3) << 2), 0x8d, ((register & 7) << 3) | 5);
    this.#distance(label);
  }

  override move(to: Register, from: Register): void {
    this.#registers([0x89], numbers[from], numbers[to]);
  }

  override add(to: Register, from: Register, amount: number): void {
    this.#memory(wide, [0x8d], numbers[to], numbers[from], amount);
  }

  override addRegister(to: Register, other: Register): void {
    this.#registers([0x01], numbers[other], numbers[to]);
  }

  override subtractRegister(to: Register, other: Register): void {
    this.#registers([0x29], numbers[other], numbers[to]);
  }

  override roundUpTo4(register: Register): void {
    this.add(register, register, 3);
    this.#registers([0x81], 4, numbers[register]);
    this.#number(-4);
  }

  override load(size: Size, to: Register, base: Register, offset: number): void {
    const { rex, opcode } = loads[size];
    this.#memory(rex, opcode, numbers[to], numbers[base], offset);
  }

  override store(size: Size, base: Register, offset: number, from: Register): void {
    if (size === 16) this.emit(0x66);
    const opcode = size === 8 ? 0x88 : 0x89;
    this.#memory(size === 64 ? wide : 0x40, [opcode], numbers[from], numbers[base], offset);
  }

  override jump(label: string): void {
    this.emit(0xe9);
    this.#distance(label);
  }

  override jumpIf(
    left: Register,
    relation: Relation,
    right: Register | number,
    label: string,
  ): void {
    if (typeof right === "number") {
      this.#registers([0x81], 7, numbers[left]);
      this.#number(right);
    } else {
      this.#registers([0x39], numbers[right], numbers[left]);
    }
    this.#branch(conditions[relation], label);
  }

  override jumpIfBit(register: Register, bit: number, label: string): void {
    this.#registers([0xf7], 0, numbers[register]);
    this.#number(1 << inRange(bit, 0, 30, "bit"));
    this.#branch(conditions["!="], label);
  }

  override call(label: string): void {
    this.emit(0xe8);
    this.#distance(label);
  }

  override return(): void {
    this.emit(0xc3);
  }

  override systemCall(number: number): void {
    this.set("result", number);
    this.emit(0x0f, 0x05);
  }

  #registers(opcode: readonly number[], register: number, base: number): void {
    this.emit(rex(wide, register, base), ...opcode);
    this.emit(inRegister | ((register & 7) << 3) | (base & 7));
  }

  #memory(
    prefix: number,
    opcode: readonly number[],
    register: number,
    base: number,
    displacement: number,
  ): void {
    this.emit(rex(prefix, register, base), ...opcode);
    this.emit(inMemory | ((register & 7) << 3) | (base & 7));
    if ((base & 7) === lowBitsOfStack) this.emit(noIndex);
    this.#number(displacement);
  }

  #branch(condition: number, label: string): void {
    this.emit(0x0f, condition);
    this.#distance(label);
  }

  #number(value: number): void {
    this.emit(value & 255, (value >> 8) & 255, (value >> 16) & 255, value >>> 24);
  }

  /** From the end of the instruction, whose last part this is. */
  #distance(label: string): void {
    const at = this.length;
    this.#number(0);
    this.refer(label, (view, target) => view.setInt32(at, target - (at + 4), true));
  }
}

function rex(prefix: number, register: number, base: number): number {
  return prefix | ((register >> 3) << 2) | (base >> 3);
}
