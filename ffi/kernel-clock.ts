import { checked, libc } from "./libc.ts";
import { addressOf } from "./memory.ts";

/**
 * The monotonic clock as of the last tick, in nanoseconds: what programs in the kernel read.
 *
 * @throws SystemError
 */
export function kernelClockNs(): bigint {
  const CLOCK_MONOTONIC_COARSE = 6;
  const time = new BigInt64Array(new ArrayBuffer(16));
  checked(libc.clock_gettime(CLOCK_MONOTONIC_COARSE, addressOf(time)), "clock_gettime");
  return time[0]! * 1_000_000_000n + time[1]!;
}
