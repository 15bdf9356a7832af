import { constants } from "node:os";
import { checked, lastErrno, libc, systemError } from "../libc.ts";
import { cString, PinnedMemory } from "../memory.ts";

/**
 * The bpf(2) system call. Every command takes one structure, whose fields are written at the offsets
 * of linux/bpf.h; kernels accept a longer structure than they know when the rest is zero.
 */
const systemCallNumber = process.arch === "arm64" ? 280 : 321;
const attributeBytes = 128;

export const command = {
  mapCreate: 0,
  mapLookup: 1,
  mapUpdate: 2,
  mapDelete: 3,
  mapNextKey: 4,
  programLoad: 5,
  programAttach: 8,
  programTestRun: 10,
  programById: 13,
  mapById: 14,
  information: 15,
  programQuery: 16,
  mapLookupBatch: 24,
} as const;

const nameBytesMax = 15;

/** The structure of one call, made anew each time: it may be handed to several threads. */
export class Attributes extends PinnedMemory {
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

  /** What the kernel answers: negative with errno set when it refuses. */
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

/** False when the kernel has no such thing. @throws SystemError for whatever else it refused */
export function found(result: number, about: string): boolean {
  if (result >= 0) return true;
  const errno = lastErrno();
  if (errno === constants.errno.ENOENT) return false;
  throw systemError(errno, "bpf", about);
}

/** Fills `into` with what the kernel tells of a map or a program. @throws SystemError */
export function readInformation(descriptor: number, into: Uint8Array<ArrayBuffer>): void {
  new Attributes()
    .u32(0, descriptor)
    .u32(4, into.length)
    .pointer(8, into)
    .checkedCall(command.information, "information");
}

/** The name of a map or a program in what {@link readInformation} gave. */
export function nameAt(bytes: Uint8Array, at: number): string {
  const name = bytes.subarray(at, at + nameBytesMax + 1);
  return Buffer.from(name.subarray(0, name.indexOf(0))).toString("latin1");
}
