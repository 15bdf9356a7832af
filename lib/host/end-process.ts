import { ProcessHandle } from "../../ffi/process.ts";
import { isSystemError } from "../../ffi/system-error.ts";

/**
 * Ends a process without asking it, if it is still the one that is meant once nothing else can have
 * its id. One that has ended already is no error.
 *
 * @throws SystemError
 */
export async function endProcess(pid: number, isStill: () => Promise<boolean>): Promise<void> {
  try {
    using handle = new ProcessHandle(pid);
    if (await isStill()) handle.kill();
  } catch (error) {
    if (!isSystemError(error, "ESRCH")) throw error;
  }
}
