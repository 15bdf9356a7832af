import { constants } from "node:os";
import { lastErrno } from "../libc.ts";
import { cString, PinnedMemory, pinnedBytes } from "../memory.ts";
import { SystemError } from "../system-error.ts";
import { Attributes, command, nameAt, readInformation } from "./call.ts";

/** Programs that decide about frames at the edge of a device. */
const SCHED_CLS = 3;

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

/** A descriptor of the program with this id. @throws SystemError `SYS_ENOENT` */
export function programById(id: number): number {
  return new Attributes().u32(0, id).checkedCall(command.programById, `program ${id}`);
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
