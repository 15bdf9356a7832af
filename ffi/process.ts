import { closeDescriptor } from "./descriptor.ts";
import { checked, libc } from "./libc.ts";
import { isSystemError } from "./system-error.ts";

/** Numbers of system calls that are the same on all processors. */
const pidfd_send_signal = 424;
const pidfd_open = 434;
const SIGKILL = 9;

/**
 * A process that is meant whatever becomes of its id, which the kernel gives to another one after its
 * end (pidfd_open(2)). Kernels before 5.3 have no such thing: there the id is what there is.
 */
export class ProcessHandle implements Disposable {
  readonly #pid: number;
  readonly #descriptor: number | undefined;

  /** @throws SystemError `SYS_ESRCH` when there is no such process */
  constructor(pid: number) {
    this.#pid = pid;
    try {
      this.#descriptor = checked(libc.syscall(pidfd_open, pid, null, 0, 0), "pidfd_open", `${pid}`);
    } catch (error) {
      if (!isSystemError(error, "ENOSYS")) throw error;
    }
  }

  /** Ends it without asking it. @throws SystemError `SYS_ESRCH` when it has ended already */
  kill(): void {
    if (this.#descriptor === undefined) {
      process.kill(this.#pid, "SIGKILL");
      return;
    }
    const done = libc.syscall(pidfd_send_signal, this.#descriptor, SIGKILL, 0, 0);
    checked(done, "pidfd_send_signal", `${this.#pid}`);
  }

  [Symbol.dispose](): void {
    if (this.#descriptor !== undefined) closeDescriptor(this.#descriptor);
  }
}
