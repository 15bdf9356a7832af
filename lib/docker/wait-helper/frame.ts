import type { Register } from "./assembler.ts";

/**
 * Memory of the wait helper: a frame on its stack, below the command line.
 *
 *   +-----------+------+-----------+--------+-------------------+------------------+
 *   | interface | time | signal    | rest   | path of a command | answer on routes |
 *   | request   |      | action    |        |                   |                  |
 *   |  40       |  16  |  32       |  16    |  4096             |  16384           |
 *   +-----------+------+-----------+--------+-------------------+------------------+
 */
export const frame = {
  /** `struct ifreq`: 16 octets of name, then flags. */
  interfaceRequest: 0,
  interfaceFlags: 16,
  /** `struct timespec`: seconds and nanoseconds, 8 octets each. */
  seconds: 40,
  /** The kernel's `struct sigaction`: handler, flags, restorer, signals to hold back. */
  signalHandler: 56,
  signalFlags: 64,
  signalRestorer: 72,
  signalMask: 80,
  /** `struct timespec` again. */
  restSeconds: 88,
  restNanoseconds: 96,
  path: 104,
  pathEnd: 104 + 4096,
  answer: 104 + 4096,
} as const;

/** What the kernel puts into one part of a dump. */
export const answerBytes = 16_384;

/** A multiple of a page, which all processors subtract in one instruction. */
export const frameBytes = 0x6000;

/** What registers keep from the start to the command. */
export const kept = {
  /** Address of the first word of the command; the address of each follows. */
  command: "kept0",
  /** Address of the first variable's address. */
  environment: "kept1",
} as const satisfies Record<string, Register>;
