import { readFileSync, readlinkSync } from "node:fs";
import { waitHelperPath } from "./mount.ts";

/**
 * Whether the first process of a container is a wait helper that has not become the container's
 * command yet, or has one for a child, as an init of the engine's has: the kernel tells which file a
 * process runs, by its path in the container.
 */
export function isWaiting(pid: number): boolean {
  return runsHelper(pid) || childrenOf(pid).some(runsHelper);
}

function runsHelper(pid: number): boolean {
  try {
    return readlinkSync(`/proc/${pid}/exe`) === waitHelperPath;
  } catch {
    return false;
  }
}

function childrenOf(pid: number): number[] {
  try {
    const list = readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8");
    return list.split(" ").filter(Boolean).map(Number);
  } catch {
    return [];
  }
}
