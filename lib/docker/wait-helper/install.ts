import { chmodSync, mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { WeaveError } from "../../base/errors.ts";
import type { Machine } from "./elf.ts";
import type { WaitHelperFolders } from "./mount.ts";
import { type WaitsFor, waitHelper } from "./program.ts";

const machines: Readonly<Record<string, Machine>> = { x64: "x86-64", arm64: "arm64" };

/** Anybody may run it, as whatever user a container has; nobody may write to it. */
const executableMode = 0o555;
const folderMode = 0o755;

/**
 * Puts the wait helper into the folders that containers mount. A file that is as it should be stays;
 * another is replaced as a whole, so that containers that are waiting go on with the former one.
 *
 * @throws WeaveError `WAIT_HELPER`
 */
export function installWaitHelper(folders: WaitHelperFolders): void {
  const machine = machines[process.arch];
  if (machine === undefined) {
    throw new WeaveError("WAIT_HELPER", `there is no wait helper for ${process.arch}`, {
      remedy: "attach containers with 'weave attach'",
    });
  }
  const variants: readonly (readonly [string, WaitsFor])[] = [
    [folders.dir, "route"],
    [folders.noMulticastDir, "interface"],
    [folders.noopDir, "nothing"],
  ];
  for (const [folder, waitsFor] of variants) install(folder, waitHelper(machine, waitsFor));
}

function install(folder: string, executable: Uint8Array): void {
  const path = join(folder, "w");
  try {
    mkdirSync(folder, { recursive: true, mode: folderMode });
    chmodSync(folder, folderMode);
    if (!holds(path, executable)) {
      const draft = join(folder, `.w-${process.pid}`);
      writeFileSync(draft, executable, { mode: executableMode });
      // The mode of a new file is subject to the process's mask.
      chmodSync(draft, executableMode);
      renameSync(draft, path);
    }
    chmodSync(path, executableMode);
  } catch (cause) {
    throw new WeaveError("WAIT_HELPER", `cannot put the wait helper at ${path}`, {
      remedy: "see whether the router's state folder can be written to",
      cause,
    });
  }
}

function holds(path: string, octets: Uint8Array): boolean {
  try {
    return readFileSync(path).equals(octets);
  } catch {
    return false;
  }
}
