/** The numbers of eBPF (RFC 9669 §4–5, linux/bpf.h): tables that assembler and disassembler share. */

export const instructionBytes = 8;

/** The three low bits of an opcode: what kind of instruction it is. */
export const instructionClass = {
  load: 0x00,
  loadMemory: 0x01,
  storeImmediate: 0x02,
  storeRegister: 0x03,
  arithmetic32: 0x04,
  jump64: 0x05,
  jump32: 0x06,
  arithmetic64: 0x07,
} as const;

/** Set when the second operand is a register and not the immediate. */
export const registerSource = 0x08;

export const arithmetic = {
  add: 0x00,
  subtract: 0x10,
  or: 0x40,
  and: 0x50,
  shiftLeft: 0x60,
  shiftRight: 0x70,
  xor: 0xa0,
  set: 0xb0,
} as const;
export type ArithmeticName = keyof typeof arithmetic;

/** Comparisons are unsigned. `&`: whether both have a set bit in common. */
export const comparison = {
  "==": 0x10,
  ">": 0x20,
  ">=": 0x30,
  "&": 0x40,
  "!=": 0x50,
  "<": 0xa0,
  "<=": 0xb0,
} as const;
export type Comparison = keyof typeof comparison;

export const jumpAlways = 0x00;
export const jumpCall = 0x80;
export const jumpExit = 0x90;

/** Into the network's byte order; the immediate is the width in bits. */
export const toBigEndian = 0xdc;

export const memoryMode = 0x60;
export const memorySize = { u8: 0x10, u16: 0x08, u32: 0x00, u64: 0x18 } as const;
export type MemorySize = keyof typeof memorySize;

/** Loads 64 bits; with source 1 the immediate is the descriptor of a map. */
export const loadImmediate64 = 0x18;
export const mapDescriptorSource = 1;

/** Helpers of the kernel that programs of any licence may call, by their numbers. */
export const helper = {
  mapLookup: 1,
  mapUpdate: 2,
  storeBytes: 9,
  cloneRedirect: 13,
  getTunnelKey: 20,
  setTunnelKey: 21,
  redirect: 23,
  loadBytes: 26,
  pullData: 39,
  ktimeGetCoarseNs: 160,
} as const;
export type Helper = keyof typeof helper;
