import { existsSync } from "node:fs";
import { join } from "node:path";
import { unlimitLockedMemory } from "../../../ffi/locked-memory.ts";
import { bindMount } from "../../../ffi/namespace.ts";
import { isSystemError } from "../../../ffi/system-error.ts";
import { kubernetesError } from "../kubernetes-error.ts";
import type { AgentSettings } from "./agent-settings.ts";

const settingsFolder = "proc/sys";

/**
 * Has the settings of the kernel writable where the host's own are mounted: a container that is not
 * privileged may only read them. Does nothing elsewhere.
 *
 * @throws WeaveError `K8S_POD` when the container may not mount them
 */
export function openKernelSettings({ hostRoot }: Pick<AgentSettings, "hostRoot">): void {
  const folder = join(hostRoot, settingsFolder);
  if (!existsSync(folder)) return;
  try {
    bindMount(folder, `/${settingsFolder}`);
  } catch (cause) {
    if (!isSystemError(cause)) throw cause;
    throw kubernetesError("K8S_POD", `cannot mount the kernel's settings: ${cause.message}`, {
      remedy:
        "give the container the capability SYS_ADMIN, and no AppArmor profile that forbids mounts",
      cause,
    });
  }
}

/**
 * Lets programs of the kernel be as large as they have to be where a container runtime has set a
 * limit. Without the right to that there is none to be lifted, or the kernel does not go by it.
 */
export function liftMemoryLimit(): void {
  try {
    unlimitLockedMemory();
  } catch (error) {
    if (!isSystemError(error, "EPERM")) throw error;
  }
}

/** Modules that nothing loads by itself when it is needed. */
const filterModules = ["br_netfilter"];

/**
 * Loads what policies need of the kernel; a sentence for each module that cannot be had. Whether it
 * is needed is known by who enforces them: it may be a part of the kernel.
 */
export function loadModules({ policy }: Pick<AgentSettings, "policy">): string[] {
  return (policy ? filterModules : []).flatMap((name) => {
    if (existsSync(`/sys/module/${name}`)) return [];
    const program = Bun.which("modprobe");
    if (program === null) return [`cannot load the kernel's module ${name}: there is no modprobe`];
    const { exitCode, stderr } = Bun.spawnSync([program, name]);
    if (exitCode === 0) return [];
    return [`cannot load the kernel's module ${name}: ${stderr.toString().trim()}`];
  });
}
