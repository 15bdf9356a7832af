import { existsSync, readdirSync, rmdirSync } from "node:fs";
import { join } from "node:path";
import { eventually, run } from "../hosts/shell.ts";

const top = "/sys/fs/cgroup";

/** Removes a control group and those in it from every hierarchy; the kernel empties them first. */
export async function removeCgroups(name: string): Promise<void> {
  // One hierarchy, or one in each folder.
  const places = [top, ...readdirSync(top).map((each) => join(top, each))];
  for (const place of places) {
    const group = join(place, name);
    if (!existsSync(group)) continue;
    await eventually(
      `the end of ${group}`,
      async () => {
        const gone = tryRemove(group);
        if (!gone) await run(["sleep", "0.05"]);
        return gone;
      },
      (gone) => gone,
    );
  }
}

function tryRemove(group: string): boolean {
  try {
    for (const entry of readdirSync(group, { withFileTypes: true })) {
      if (entry.isDirectory()) tryRemove(join(group, entry.name));
    }
    rmdirSync(group);
  } catch {
    // A process in it has not ended yet.
  }
  return !existsSync(group);
}
