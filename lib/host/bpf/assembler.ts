import {
  type ArithmeticName,
  arithmetic,
  type Comparison,
  comparison,
  type Helper,
  helper,
  instructionBytes,
  instructionClass,
  jumpAlways,
  jumpCall,
  jumpExit,
  loadImmediate64,
  type MemorySize,
  mapDescriptorSource,
  memoryMode,
  memorySize,
  registerSource,
  toBigEndian,
} from "./opcodes.ts";

/**
 * An assembler for eBPF (RFC 9669). Methods append instructions; labels are resolved at the end, and
 * maps are names until the program is linked to the descriptors of real ones.
 *
 *   one instruction (8 octets)                       reference to a map: two of them
 *   +-----------+-----+-----+-----------+--------+
 *   | opcode: 1 | src | dst | offset: 2 | imm: 4 |   LD_IMM64 dst, source 1, imm = descriptor,
 *   +-----------+-----+-----+-----------+--------+   then eight zero octets
 *                4 bits each
 *
 * Registers by the kernel's convention: r0 result, r1–r5 arguments, lost in a call, r6–r9 kept,
 * fp end of the stack, which grows downwards.
 */
export class Register {
  readonly number: number;

  constructor(number: number) {
    this.number = number;
  }
}

export const r0 = new Register(0);
export const r1 = new Register(1);
export const r2 = new Register(2);
export const r3 = new Register(3);
export const r4 = new Register(4);
export const r5 = new Register(5);
export const r6 = new Register(6);
export const r7 = new Register(7);
export const r8 = new Register(8);
export const r9 = new Register(9);
export const fp = new Register(10);

/** A register, or a number of 32 bits, which 64-bit operations extend with its sign. */
export type Operand = Register | number;

/** Whether an operation is on 64 bits or on the lower 32, which clears the upper ones. */
export type Width = 32 | 64;

interface Instruction {
  readonly opcode: number;
  readonly destination: number;
  readonly source: number;
  readonly offset: number;
  readonly immediate: number;
  /** Where a jump leads to. */
  readonly target?: string;
  readonly map?: string;
}

/** Instructions in which maps are still names. */
export interface Assembly {
  readonly octets: Uint8Array<ArrayBuffer>;
  /** Index of each instruction that refers to a map, and the map's name. */
  readonly maps: ReadonlyArray<readonly [instruction: number, map: string]>;
}

export class Assembler {
  readonly #instructions: Instruction[] = [];
  readonly #labels = new Map<string, number>();

  /** The next instruction is called `name`. @throws RangeError when another one is already */
  label(name: string): void {
    if (this.#labels.has(name)) throw new RangeError(`label ${name} is there twice`);
    this.#labels.set(name, this.#instructions.length);
  }

  /** destination = operand */
  set(destination: Register, operand: Operand, width: Width = 64): void {
    this.compute(destination, "set", operand, width);
  }

  /** destination = destination ∘ operand */
  compute(
    destination: Register,
    operation: ArithmeticName,
    operand: Operand,
    width: Width = 64,
  ): void {
    const group = width === 64 ? instructionClass.arithmetic64 : instructionClass.arithmetic32;
    this.#add(group | arithmetic[operation], { destination, operand });
  }

  /** destination = base + offset */
  address(destination: Register, base: Register, offset: number): void {
    this.set(destination, base);
    this.compute(destination, "add", offset);
  }

  /** Turns the lower `bits` of a number into, or out of, the network's byte order. */
  swap(destination: Register, bits: 16 | 32): void {
    this.#add(toBigEndian, { destination, immediate: bits });
  }

  load(size: MemorySize, destination: Register, base: Register, offset: number): void {
    const opcode = instructionClass.loadMemory | memoryMode | memorySize[size];
    this.#add(opcode, { destination, source: base.number, offset });
  }

  store(size: MemorySize, base: Register, offset: number, operand: Operand): void {
    const isRegister = operand instanceof Register;
    const group = isRegister ? instructionClass.storeRegister : instructionClass.storeImmediate;
    this.#add(group | memoryMode | memorySize[size], {
      destination: base,
      offset,
      ...(isRegister ? { source: operand.number } : { immediate: operand }),
    });
  }

  jump(target: string): void {
    this.#add(instructionClass.jump64 | jumpAlways, { target });
  }

  jumpIf(
    left: Register,
    relation: Comparison,
    operand: Operand,
    target: string,
    width: Width = 64,
  ): void {
    const group = width === 64 ? instructionClass.jump64 : instructionClass.jump32;
    this.#add(group | comparison[relation], { destination: left, operand, target });
  }

  /** destination = the map of this name, as helpers take it */
  map(destination: Register, map: string): void {
    this.#add(loadImmediate64, { destination, source: mapDescriptorSource, map });
    this.#add(0, {});
  }

  /** r0 = helper(r1, …); r1–r5 are lost. */
  call(name: Helper): void {
    this.#add(instructionClass.jump64 | jumpCall, { immediate: helper[name] });
  }

  /** Ends the program with r0 as its verdict. */
  exit(): void {
    this.#add(instructionClass.jump64 | jumpExit, {});
  }

  /** @throws RangeError for a jump to a label that is not there */
  assemble(): Assembly {
    const octets = new Uint8Array(new ArrayBuffer(this.#instructions.length * instructionBytes));
    const view = new DataView(octets.buffer);
    const maps: [number, string][] = [];
    for (const [index, instruction] of this.#instructions.entries()) {
      const at = index * instructionBytes;
      view.setUint8(at, instruction.opcode);
      view.setUint8(at + 1, (instruction.source << 4) | instruction.destination);
      view.setInt16(at + 2, this.#offset(index, instruction), true);
      view.setInt32(at + 4, instruction.immediate, true);
      if (instruction.map !== undefined) maps.push([index, instruction.map]);
    }
    return { octets, maps };
  }

  #offset(index: number, instruction: Instruction): number {
    if (instruction.target === undefined) return instruction.offset;
    const target = this.#labels.get(instruction.target);
    if (target === undefined) throw new RangeError(`label ${instruction.target} is not there`);
    return target - index - 1;
  }

  #add(
    opcode: number,
    fields: {
      destination?: Register;
      operand?: Operand;
      source?: number;
      offset?: number;
      immediate?: number;
      target?: string;
      map?: string;
    },
  ): void {
    const { destination, operand, target, map } = fields;
    const isRegister = operand instanceof Register;
    const immediate = (isRegister ? undefined : operand) ?? fields.immediate ?? 0;
    if (immediate !== (immediate | 0)) {
      throw new RangeError(`${immediate} does not fit 32 bits with a sign`);
    }
    this.#instructions.push({
      opcode: isRegister ? opcode | registerSource : opcode,
      destination: destination?.number ?? 0,
      source: isRegister ? operand.number : (fields.source ?? 0),
      offset: fields.offset ?? 0,
      immediate,
      ...(target !== undefined && { target }),
      ...(map !== undefined && { map }),
    });
  }
}

/** The program with the descriptors of real maps in it. @throws RangeError for a map without one */
export function link(
  assembly: Assembly,
  descriptors: Readonly<Record<string, number>>,
): Uint8Array<ArrayBuffer> {
  const octets = assembly.octets.slice();
  const view = new DataView(octets.buffer);
  for (const [instruction, map] of assembly.maps) {
    const descriptor = descriptors[map];
    if (descriptor === undefined) throw new RangeError(`map ${map} is not there`);
    view.setInt32(instruction * instructionBytes + 4, descriptor, true);
  }
  return octets;
}
