import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type Booted, Machine, type MachinePlace } from "../hosts/machine.ts";

/** A machine for parts of a cluster, with /etc, /home, /opt, /run and /var of its own. */
export class ClusterMachine extends Machine {
  protected constructor(place: MachinePlace, booted: Booted) {
    super(place, booted, {});
  }

  protected static bootCluster(place: MachinePlace): Promise<Booted> {
    mkdirSync(place.folder, { recursive: true });
    const script = join(import.meta.dir, "node-machine.sh");
    return Machine.makeNamespaces(place.namespace, script, [place.folder]);
  }

  /** Writes a file among the machine's own; gives its path inside. */
  protected file(name: string, text: string): string {
    const path = join(this.folder, name);
    writeFileSync(this.outside(path), text);
    return path;
  }
}

/** Flags of the long kind: `--key=value` each. */
export function flags(values: Readonly<Record<string, string | number | boolean>>): string[] {
  return Object.entries(values).map(([key, value]) => `--${key}=${value}`);
}
