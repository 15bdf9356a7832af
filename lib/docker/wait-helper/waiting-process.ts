import { readlinkSync } from "node:fs";
import { waitHelperPath } from "./mount.ts";

/**
 * Whether a process of this host is a wait helper that has not become the container's command yet:
 * the kernel tells which file it runs, by its path in the container.
 */
export function isWaiting(pid: number): boolean {
  try {
    return readlinkSync(`/proc/${pid}/exe`) === waitHelperPath;
  } catch {
    return false;
  }
}
