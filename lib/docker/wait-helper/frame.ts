import type { Register } from "./assembler.ts";

/**
 * Memory of the wait helper: a frame on its stack, below the command line.
 *
 *   +------------------+----------+-------------------+-------------------+------------------+
 *   | interface        | time     | signal action     | path of a command | answer on routes |
 *   | request: 40      | 16       | 32                | 4096              | 16384            |
 *   +------------------+----------+-------------------+-------------------+------------------+
 */
export const frame = {
  /** `struct ifreq`: 16 octets of name, then flags. */
  interfaceRequest: 0,
  interfaceFlags: 16,
  /** `struct timespec`: seconds and nanoseconds, 8 octets each. */
  seconds: 40,
  nanoseconds: 48,
  /** The kernel's `struct sigaction`: handler, flags, restorer, signals to hold back. */
  signalHandler: 56,
  signalFlags: 64,
  signalRestorer: 72,
  signalMask: 80,
  path: 88,
  pathEnd: 88 + 4096,
  answer: 88 + 4096,
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
