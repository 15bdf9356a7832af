import { constants } from "node:os";
import { checked, lastErrno, libc, systemError } from "./libc.ts";
import { addressOf, cString, PinnedMemory, pinnedBytes } from "./memory.ts";
import { SystemError } from "./system-error.ts";

/**
 * The bpf(2) system call: maps, programs, and where programs are attached. Every command takes one
 * structure, whose fields are written here at the offsets of linux/bpf.h; kernels accept a longer
 * structure than they know when the rest is zero.
 */
const systemCallNumber = process.arch === "arm64" ? 280 : 321;
const attributeBytes = 128;

const command = {
  mapCreate: 0,
  mapLookup: 1,
  mapUpdate: 2,
  mapDelete: 3,
  mapNextKey: 4,
  programLoad: 5,
  programAttach: 8,
  programDetach: 9,
  programTestRun: 10,
  programById: 13,
  mapById: 14,
  information: 15,
  programQuery: 16,
  mapLookupBatch: 24,
} as const;

export const mapType = { hash: 1, array: 2, perCpuArray: 6, lruHash: 9 } as const;
/** Where a program that decides about frames may sit on a device, without a queueing discipline. */
export const tcxHook = { ingress: 46, egress: 47 } as const;

const SCHED_CLS = 3;
const nameBytesMax = 15;

/** The structure of one call, made anew each time: it may be handed to several threads. */
class Attributes extends PinnedMemory {
  /** What native memory the structure refers to, kept as long as the structure. */
  readonly #referred: PinnedMemory[] = [];

  constructor() {
    super(attributeBytes);
  }

  u32(at: number, value: number): this {
    this.view.setUint32(at, value, true);
    return this;
  }

  u64(at: number, value: number): this {
    this.view.setBigUint64(at, BigInt(value), true);
    return this;
  }

  /** A pointer to these octets. They must lie in a buffer of their own or be a copy. */
  pointer(at: number, octets: Uint8Array<ArrayBuffer>): this {
    const memory = new PinnedMemory(octets);
    this.#referred.push(memory);
    return this.u64(at, memory.address);
  }

  name(at: number, text: string): this {
    this.bytes.set(cString(text.slice(0, nameBytesMax)), at);
    return this;
  }

  call(number: number): number {
    const result = libc.syscall(systemCallNumber, number, this.bytes, attributeBytes, 0);
    // Read once more, so that the collector keeps it until here.
    return this.#referred.length < 0 ? -1 : result;
  }

  /** @throws SystemError */
  checkedCall(number: number, about: string): number {
    return checked(this.call(number), "bpf", about);
  }
}

export interface MapShape {
  readonly type: number;
  readonly keyBytes: number;
  readonly valueBytes: number;
  readonly entriesMax: number;
}

/** A descriptor of a new map, close-on-exec. @throws SystemError */
export function createMap(name: string, shape: MapShape): number {
  return new Attributes()
    .u32(0, shape.type)
    .u32(4, shape.keyBytes)
    .u32(8, shape.valueBytes)
    .u32(12, shape.entriesMax)
    .name(28, name)
    .checkedCall(command.mapCreate, `map ${name}`);
}

/** Fills `value` (for a map with one value per processor: all of them); false for no entry. */
export function mapLookup(
  map: number,
  key: Uint8Array<ArrayBuffer>,
  value: Uint8Array<ArrayBuffer>,
): boolean {
  return found(element(map, key, value).call(command.mapLookup), "lookup");
}

/** Makes or changes an entry. @throws SystemError `SYS_E2BIG` when the map is full */
export function mapUpdate(
  map: number,
  key: Uint8Array<ArrayBuffer>,
  value: Uint8Array<ArrayBuffer>,
): void {
  element(map, key, value).checkedCall(command.mapUpdate, "update");
}

/** False when there was none. @throws SystemError */
export function mapDelete(map: number, key: Uint8Array<ArrayBuffer>): boolean {
  const attributes = new Attributes().u32(0, map).pointer(8, key);
  return found(attributes.call(command.mapDelete), "delete");
}

/** Fills `next` with the key after `key`, or the first one; false at the end. @throws SystemError */
export function mapNextKey(
  map: number,
  key: Uint8Array<ArrayBuffer> | undefined,
  next: Uint8Array<ArrayBuffer>,
): boolean {
  const attributes = new Attributes().u32(0, map).pointer(16, next);
  if (key !== undefined) attributes.pointer(8, key);
  return found(attributes.call(command.mapNextKey), "next key");
}

/** Many entries of a map at once, and where the next call is to go on. */
export interface MapBatch {
  readonly count: number;
  /** `undefined` when these were the last. */
  readonly next: Uint8Array<ArrayBuffer> | undefined;
}

/**
 * Fills `keys` and `values`, which have room for `entriesMax`, from where the last call ended.
 *
 * @throws SystemError
 */
export function mapLookupBatch(
  map: number,
  from: Uint8Array<ArrayBuffer> | undefined,
  keys: Uint8Array<ArrayBuffer>,
  values: Uint8Array<ArrayBuffer>,
  entriesMax: number,
): MapBatch {
  const next = pinnedBytes(8);
  const attributes = new Attributes()
    .pointer(8, next)
    .pointer(16, keys)
    .pointer(24, values)
    .u32(32, entriesMax)
    .u32(36, map);
  if (from !== undefined) attributes.pointer(0, from);
  // The end is told as an error, with the entries before it.
  const goesOn = found(attributes.call(command.mapLookupBatch), "lookup of many");
  const count = attributes.view.getUint32(32, true);
  return { count, next: goesOn && count > 0 ? next : undefined };
}

function element(
  map: number,
  key: Uint8Array<ArrayBuffer>,
  value: Uint8Array<ArrayBuffer>,
): Attributes {
  return new Attributes().u32(0, map).pointer(8, key).pointer(16, value);
}

function found(result: number, about: string): boolean {
  if (result >= 0) return true;
  const errno = lastErrno();
  if (errno === constants.errno.ENOENT) return false;
  throw systemError(errno, "bpf", about);
}

const logBytes = 1 << 20;
const logShownMax = 4000;
const loadTriesMax = 20;

/**
 * Loads a program that decides about frames. What the kernel's verifier objects to is in the error's
 * message.
 *
 * @throws SystemError
 */
export function loadProgram(
  name: string,
  instructions: Uint8Array<ArrayBuffer>,
  licence: string,
): number {
  const attributes = new Attributes()
    .u32(0, SCHED_CLS)
    .u32(4, instructions.length / 8)
    .pointer(8, instructions)
    .pointer(16, cString(licence))
    .name(48, name);
  // The verifier gives up when a signal comes, such as those of the runtime's own threads.
  let errno: number = constants.errno.EAGAIN;
  for (let left = loadTriesMax; left > 0 && errno === constants.errno.EAGAIN; left--) {
    const descriptor = attributes.call(command.programLoad);
    if (descriptor >= 0) return descriptor;
    errno = lastErrno();
  }
  // The log costs time and memory: it is asked for when there is something to read in it.
  const log = pinnedBytes(logBytes);
  attributes.u32(24, 1).u32(28, logBytes).pointer(32, log);
  const again = attributes.call(command.programLoad);
  if (again >= 0) return again;
  const text = Buffer.from(log.subarray(0, Math.max(0, log.indexOf(0))))
    .toString("latin1")
    .trimEnd();
  throw new SystemError({
    call: "bpf",
    errno,
    about: `program ${name}`,
    ...(text !== "" && { detail: text.slice(-logShownMax) }),
  });
}

/** What a run of a program on a made-up frame came to. */
export interface TestRun {
  readonly verdict: number;
  readonly frame: Uint8Array;
  /** `struct __sk_buff` afterwards. */
  readonly context: DataView<ArrayBuffer>;
  /** Of one run, on average. */
  readonly nanoseconds: number;
}

const contextBytes = 192;

/** Octets of a frame that a program may have grown. */
const grownFrameBytesMax = 4096;

/**
 * Runs a program `repeat` times on a frame that came from nowhere.
 *
 * @param context `struct __sk_buff` before: the fields that the kernel lets a test set
 * @throws SystemError
 */
export function testRunProgram(
  program: number,
  frame: Uint8Array<ArrayBuffer>,
  context: DataView<ArrayBuffer> = new DataView(new ArrayBuffer(contextBytes)),
  repeat = 1,
): TestRun {
  const output = pinnedBytes(grownFrameBytesMax);
  const contextAfter = pinnedBytes(contextBytes);
  const attributes = new Attributes()
    .u32(0, program)
    .u32(8, frame.length)
    .u32(12, output.length)
    .pointer(16, frame)
    .pointer(24, output)
    .u32(32, repeat)
    .u32(40, context.byteLength)
    .u32(44, contextAfter.length)
    .pointer(48, new Uint8Array(context.buffer))
    .pointer(56, contextAfter);
  attributes.checkedCall(command.programTestRun, "test run");
  return {
    verdict: attributes.view.getUint32(4, true),
    frame: output.slice(0, attributes.view.getUint32(12, true)),
    context: new DataView(contextAfter.buffer),
    nanoseconds: attributes.view.getUint32(36, true),
  };
}

const replaceFlag = 4;

/** Puts a program behind those that sit at this hook already. @throws SystemError */
export function attachProgram(program: number, interfaceIndex: number, hook: number): void {
  hookAttributes(program, interfaceIndex, hook).checkedCall(command.programAttach, "attach");
}

/** Puts a program in the place of another, without a frame that meets neither. @throws SystemError */
export function replaceProgram(
  program: number,
  interfaceIndex: number,
  hook: number,
  former: number,
): void {
  hookAttributes(program, interfaceIndex, hook)
    .u32(12, replaceFlag)
    .u32(16, former)
    .checkedCall(command.programAttach, "replace");
}

/** False when it was not there. @throws SystemError */
export function detachProgram(program: number, interfaceIndex: number, hook: number): boolean {
  const attributes = hookAttributes(program, interfaceIndex, hook);
  return found(attributes.call(command.programDetach), "detach");
}

function hookAttributes(program: number, interfaceIndex: number, hook: number): Attributes {
  return new Attributes().u32(0, interfaceIndex).u32(4, program).u32(8, hook);
}

const attachedMax = 64;

/** The ids of the programs at a hook, in their order. @throws SystemError */
export function attachedPrograms(interfaceIndex: number, hook: number): number[] {
  const ids = new Uint32Array(new ArrayBuffer(4 * attachedMax));
  const attributes = new Attributes()
    .u32(0, interfaceIndex)
    .u32(4, hook)
    .pointer(16, new Uint8Array(ids.buffer))
    .u32(24, attachedMax);
  attributes.checkedCall(command.programQuery, "attached programs");
  return [...ids.subarray(0, attributes.view.getUint32(24, true))];
}

/** A descriptor of the program with this id. @throws SystemError `SYS_ENOENT` */
export function programById(id: number): number {
  return new Attributes().u32(0, id).checkedCall(command.programById, `program ${id}`);
}

/** A descriptor of the map with this id. @throws SystemError `SYS_ENOENT` */
export function mapById(id: number): number {
  return new Attributes().u32(0, id).checkedCall(command.mapById, `map ${id}`);
}

export interface ProgramInformation {
  readonly id: number;
  readonly name: string;
  readonly mapIds: readonly number[];
}

const mapsPerProgramMax = 64;

/** @throws SystemError */
export function programInformation(program: number): ProgramInformation {
  const maps = new PinnedMemory(4 * mapsPerProgramMax);
  const information = new PinnedMemory(80);
  information.view.setUint32(52, mapsPerProgramMax, true);
  information.view.setBigUint64(56, BigInt(maps.address), true);
  readInformation(program, information.bytes);
  const count = information.view.getUint32(52, true);
  return {
    id: information.view.getUint32(4, true),
    name: nameAt(information.bytes, 64),
    mapIds: [...new Uint32Array(maps.bytes.buffer, 0, Math.min(count, mapsPerProgramMax))],
  };
}

/** @throws SystemError */
export function mapInformation(map: number): MapShape & { readonly name: string } {
  const information = new PinnedMemory(40);
  readInformation(map, information.bytes);
  const field = (at: number): number => information.view.getUint32(at, true);
  return {
    name: nameAt(information.bytes, 24),
    type: field(0),
    keyBytes: field(8),
    valueBytes: field(12),
    entriesMax: field(16),
  };
}

function readInformation(descriptor: number, into: Uint8Array<ArrayBuffer>): void {
  new Attributes()
    .u32(0, descriptor)
    .u32(4, into.length)
    .pointer(8, into)
    .checkedCall(command.information, "information");
}

function nameAt(bytes: Uint8Array, at: number): string {
  const name = bytes.subarray(at, at + nameBytesMax + 1);
  return Buffer.from(name.subarray(0, name.indexOf(0))).toString("latin1");
}

/** The clock that programs read, as of the last tick, in nanoseconds. @throws SystemError */
export function kernelClockNs(): bigint {
  const CLOCK_MONOTONIC_COARSE = 6;
  const time = new BigInt64Array(new ArrayBuffer(16));
  checked(libc.clock_gettime(CLOCK_MONOTONIC_COARSE, addressOf(time)), "clock_gettime");
  return time[0]! * 1_000_000_000n + time[1]!;
}
