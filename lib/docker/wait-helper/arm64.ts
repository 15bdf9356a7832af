import { Assembler, inRange, type Register, type Relation, type Size } from "./assembler.ts";

/**
 * Instructions of AArch64 (Arm ARM, chapter C6): words of four octets, the lowest first.
 *
 *                       31                  21        16        10         5         0
 *                       +----------------------------------------+---------+---------+
 *   move wide           | opcode     | part |     number: 16               |   Rd    |
 *   add, load, store    | opcode     |      number: 12             |   Rn  |   Rd    |
 *   two registers       | opcode                  |   Rm    |  0   |   Rn  |   Rd    |
 *   branch on condition | opcode     |      distance: 19           |     | condition |
 *   branch on bit       | opcode | bit: 5 |  distance: 14          |       |   Rt    |
 *   branch, call        | opcode |             distance: 26                           |
 *   place               | 0 | low: 2 | opcode |    distance: 19 higher   |   Rd    |
 *                       +------------------------------------------------------------+
 *
 * Distances are in words, that of a place in octets. Register 31 is the stack's pointer to `add`,
 * loads and stores, and zero to the others.
 */
const numbers: Readonly<Record<Register, number>> = {
  argument0: 0,
  argument1: 1,
  argument2: 2,
  argument3: 3,
  argument4: 4,
  argument5: 5,
  result: 9,
  kept0: 19,
  kept1: 20,
  kept2: 21,
  kept3: 22,
  kept4: 23,
  kept5: 24,
  stack: 31,
};
/** Where the kernel looks for the number of a call, and where it puts the result. */
const callRegister = 8;
const kernelResult = 0;

const zero = 31;
const immediateMax = 0xfff;

const conditions: Readonly<Record<Relation, number>> = { "==": 0, "!=": 1, ">=": 10, "<": 11 };

const loadOpcodes: Readonly<Record<Size, number>> = {
  8: 0x39400000,
  16: 0x79400000,
  32: 0xb9400000,
  64: 0xf9400000,
};
const storeOpcodes: Readonly<Record<Size, number>> = {
  8: 0x39000000,
  16: 0x79000000,
  32: 0xb9000000,
  64: 0xf9000000,
};

const wordBytes = 4;

export class Arm64Assembler extends Assembler {
  constructor() {
    super(wordBytes);
  }

  override set(to: Register, value: number): void {
    inRange(value, -(2 ** 31), 2 ** 31 - 1, "constant");
    this.#set(numbers[to], value);
  }

  override address(to: Register, label: string): void {
    const at = this.#word(0);
    this.refer(label, (view, target) => {
      const distance = inRange(target - at, -(2 ** 20), 2 ** 20 - 1, "distance");
      const low = (distance & 3) << 29;
      const high = ((distance >> 2) & 0x7ffff) << 5;
      view.setUint32(at, 0x10000000 | low | high | numbers[to], true);
    });
  }

  override move(to: Register, from: Register): void {
    if (to === "stack" || from === "stack") this.add(to, from, 0);
    else this.#word(0xaa000000 | (numbers[from] << 16) | (zero << 5) | numbers[to]);
  }

  override add(to: Register, from: Register, amount: number): void {
    inRange(amount, -0xffffff, 0xffffff, "amount");
    const opcode = amount < 0 ? 0xd1000000 : 0x91000000;
    const shifted = 0x400000;
    const [high, low] = [Math.abs(amount) >> 12, Math.abs(amount) & immediateMax];
    if (high !== 0) {
      this.#word(opcode | shifted | (high << 10) | (numbers[from] << 5) | numbers[to]);
    }
    if (low !== 0 || high === 0) {
      const base = high === 0 ? from : to;
      this.#word(opcode | (low << 10) | (numbers[base] << 5) | numbers[to]);
    }
  }

  override addRegister(to: Register, other: Register): void {
    this.#word(0x8b000000 | (numbers[other] << 16) | (numbers[to] << 5) | numbers[to]);
  }

  override subtractRegister(to: Register, other: Register): void {
    this.#word(0xcb000000 | (numbers[other] << 16) | (numbers[to] << 5) | numbers[to]);
  }

  override roundUpTo4(register: Register): void {
    this.add(register, register, 3);
    const exceptLowTwoBits = 0x927ef400;
    this.#word(exceptLowTwoBits | (numbers[register] << 5) | numbers[register]);
  }

  override load(size: Size, to: Register, base: Register, offset: number): void {
    this.#word(loadOpcodes[size] | place(size, base, offset) | numbers[to]);
  }

  override store(size: Size, base: Register, offset: number, from: Register): void {
    this.#word(storeOpcodes[size] | place(size, base, offset) | numbers[from]);
  }

  override jump(label: string): void {
    this.#far(0x14000000, label);
  }

  override jumpIf(
    left: Register,
    relation: Relation,
    right: Register | number,
    label: string,
  ): void {
    if (typeof right === "number") {
      const opcode = right < 0 ? 0xb1000000 : 0xf1000000;
      const amount = inRange(Math.abs(right), 0, immediateMax, "number");
      this.#word(opcode | (amount << 10) | (numbers[left] << 5) | zero);
    } else {
      this.#word(0xeb000000 | (numbers[right] << 16) | (numbers[left] << 5) | zero);
    }
    const at = this.#word(0);
    this.refer(label, (view, target) => {
      const distance = words(target - at, 19);
      view.setUint32(at, 0x54000000 | (distance << 5) | conditions[relation], true);
    });
  }

  override jumpIfBit(register: Register, bit: number, label: string): void {
    const number = inRange(bit, 0, 30, "bit") << 19;
    const at = this.#word(0);
    this.refer(label, (view, target) => {
      const distance = words(target - at, 14);
      view.setUint32(at, 0x37000000 | number | (distance << 5) | numbers[register], true);
    });
  }

  override call(label: string): void {
    this.#far(0x94000000, label);
  }

  override return(): void {
    this.#word(0xd65f03c0);
  }

  override systemCall(number: number): void {
    this.#set(callRegister, number);
    this.#word(0xd4000001);
    this.#word(0xaa000000 | (kernelResult << 16) | (zero << 5) | numbers.result);
  }

  /** The lower half first; what is above it is zeros, or for a negative number ones. */
  #set(register: number, value: number): void {
    const low = value & 0xffff;
    const high = value >>> 16;
    const inverted = value < 0;
    const [opcode, first, rest] = inverted
      ? [0x92800000, ~low & 0xffff, 0xffff]
      : [0xd2800000, low, 0];
    this.#word(opcode! | (first! << 5) | register);
    if (high !== rest) this.#word(0xf2a00000 | (high << 5) | register);
  }

  #far(opcode: number, label: string): void {
    const at = this.#word(0);
    this.refer(label, (view, target) => view.setUint32(at, opcode | words(target - at, 26), true));
  }

  /** Where it is. */
  #word(value: number): number {
    const at = this.length;
    this.emit(value & 255, (value >>> 8) & 255, (value >>> 16) & 255, value >>> 24);
    return at;
  }
}

/** Base and offset of a load or store, where those opcodes have them. */
function place(size: Size, base: Register, offset: number): number {
  const units = inRange(offset / (size / 8), 0, immediateMax, "offset");
  return (units << 10) | (numbers[base] << 5);
}

/** A distance in octets as one in words, in this many bits with sign. */
function words(distance: number, bits: number): number {
  const limit = 2 ** (bits - 1);
  return inRange(distance / wordBytes, -limit, limit - 1, "distance") & (2 ** bits - 1);
}
