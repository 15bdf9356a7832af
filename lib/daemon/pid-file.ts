import { closeSync, openSync, readFileSync, renameSync, rmSync, writeSync } from "node:fs";
import { dirname } from "node:path";
import { aloneWith } from "../../ffi/descriptor.ts";
import { WeaveError } from "../base/errors.ts";

/**
 * Who runs in a run folder. The file holds the process id and its start time in clock ticks
 * (proc(5), field 22), so that a reused id is not mistaken for a router.
 */
export interface RunningRouter {
  readonly pid: number;
  readonly startTicks: string;
}

/** Start time of a live process, `undefined` when there is none. */
export function startTicksOf(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "latin1");
    // The command name may hold blanks and parentheses: fields begin after the last one.
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    // A zombie has ended already; it only waits for its parent.
    return fields[0] === "Z" ? undefined : fields[19];
  } catch {
    return undefined;
  }
}

/** Of the signal that cannot be refused, in the masks of proc_pid_status(5). */
const killBit = 0x100n;

/** Whether a process was killed, but has not yet given up all it had, such as its sockets. */
export function isDying(pid: number): boolean {
  try {
    return isKilled(readFileSync(`/proc/${pid}/status`, "latin1"));
  } catch {
    return false;
  }
}

/** The same of the text in which the kernel describes a process. */
export function isKilled(status: string): boolean {
  const pending = [...status.matchAll(/^(?:SigPnd|ShdPnd):\s*([0-9a-f]+)$/gm)];
  return pending.some(([, mask]) => (BigInt(`0x${mask}`) & killBit) !== 0n);
}

export function readPidFile(path: string): RunningRouter | undefined {
  let text: string;
  try {
    text = readFileSync(path, "utf8");
  } catch {
    return undefined;
  }
  const match = /^(\d+) (\d+)\s*$/.exec(text);
  if (match === null) return undefined;
  return { pid: Number(match[1]), startTicks: match[2]! };
}

/** The router of this run folder if it is alive. */
export function runningRouter(path: string): RunningRouter | undefined {
  const written = readPidFile(path);
  return written !== undefined && isRunning(written) ? written : undefined;
}

export function isRunning(router: RunningRouter): boolean {
  return startTicksOf(router.pid) === router.startTicks;
}

/** Claims the run folder for this process, one of several that may ask. @throws WeaveError `ALREADY_RUNNING` */
export function claimPidFile(path: string): void {
  aloneWith(dirname(path), () => {
    const running = runningRouter(path);
    if (running !== undefined && running.pid !== process.pid) {
      throw new WeaveError("ALREADY_RUNNING", "weave is already running", {
        remedy: "stop it with 'weave stop' first",
      });
    }
    writePidFile(path, process.pid);
  });
}

/** Notes a process that runs. */
export function writePidFile(path: string, pid: number): void {
  // Renamed into place, so that a reader never sees half a file.
  const draft = `${path}.${process.pid}`;
  const file = openSync(draft, "w", 0o600);
  writeSync(file, `${pid} ${startTicksOf(pid)}\n`);
  closeSync(file);
  renameSync(draft, path);
}

/** Gives the run folder up, unless another process has claimed it since. */
export function releasePidFile(path: string): void {
  if (readPidFile(path)?.pid === process.pid) rmSync(path, { force: true });
}
