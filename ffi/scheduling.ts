import { checked, libc } from "./libc.ts";
import { addressOf, PinnedMemory } from "./memory.ts";

/**
 * How the kernel's fair scheduler treats a thread (sched_setattr(2)):
 *
 *   struct sched_attr (48)
 *   +---------+-----------+----------+---------+-------------+------------+-------------------------+
 *   | size: 4 | policy: 4 | flags: 8 | nice: 4 | priority: 4 | runtime: 8 | deadline: 8 | period: 8 |
 *   +---------+-----------+----------+---------+-------------+------------+-------------------------+
 *
 * For ordinary threads `runtime` is the slice in nanoseconds (Linux 6.12).
 */
const attributeBytes = 48;
const flagsAt = 8;
const runtimeAt = 24;
const SCHED_FLAG_RESET_ON_FORK = 1n;
const [getNumber, setNumber] = process.arch === "arm64" ? [275, 274] : [315, 314];
const callingThread = 0;

/** The attributes of a thread; 0 for the calling one. @throws SystemError */
function attributesOf(thread: number): PinnedMemory {
  const attributes = new PinnedMemory(attributeBytes);
  const address = addressOf(attributes.bytes);
  checked(libc.syscall(getNumber!, thread, address, attributeBytes, 0), "sched_getattr");
  return attributes;
}

/**
 * How long a thread computes before another has its turn, in nanoseconds; 0 where the kernel does
 * not tell.
 *
 * @param thread its id; 0 for the calling one
 * @throws SystemError
 */
export function sliceNs(thread = callingThread): number {
  return Number(attributesOf(thread).view.getBigUint64(runtimeAt, true));
}

/**
 * Gives the calling thread slices of another length, and its share of the processor as before:
 * whoever computes for a shorter time has its turn sooner after it wakes. Threads that it starts
 * are not affected. Older kernels do nothing.
 *
 * @param ns the kernel's bounds are 0.1 and 100 ms
 * @throws SystemError
 */
export function setSlice(ns: number): void {
  const attributes = attributesOf(callingThread);
  attributes.view.setBigUint64(flagsAt, SCHED_FLAG_RESET_ON_FORK, true);
  attributes.view.setBigUint64(runtimeAt, BigInt(ns), true);
  const address = addressOf(attributes.bytes);
  checked(libc.syscall(setNumber!, callingThread, address, 0, 0), "sched_setattr");
}
