import { checked, libc } from "./libc.ts";

const RLIMIT_MEMLOCK = 8;

/** `struct rlimit` of 64-bit systems: soft and hard limit; all bits set for none (setrlimit(2)). */
const unlimited = new BigUint64Array(2).fill(2n ** 64n - 1n);

/**
 * Lets this process lock as much memory as it wants. Kernels before 5.11 count programs of BPF and
 * their tables as that.
 *
 * @throws SystemError `SYS_EPERM` without CAP_SYS_RESOURCE
 */
export function unlimitLockedMemory(): void {
  checked(libc.setrlimit(RLIMIT_MEMLOCK, unlimited), "setrlimit", "RLIMIT_MEMLOCK");
}
