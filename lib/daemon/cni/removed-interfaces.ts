import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import * as v from "valibot";

/**
 * Interfaces that a container runtime had removed while no router answered, for the router to free
 * their addresses when it runs: a file each, so that whoever notes one needs nothing but a folder.
 */
const noteModel = v.object({
  /** As the runtime has it. */
  container: v.string(),
  interface: v.string(),
  /** Whether its address is the router's to free. */
  frees: v.boolean(),
});

export type RemovedInterface = Readonly<v.InferOutput<typeof noteModel>>;

const ending = ".json";

/** @throws Error of the file system */
export function noteRemoved(folder: string, note: RemovedInterface): void {
  const path = join(folder, fileName(note));
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  writeFileSync(`${path}.new`, JSON.stringify(note));
  renameSync(`${path}.new`, path);
}

/** All that are noted, in no order; a file that holds none is removed. */
export function notedRemovals(folder: string): RemovedInterface[] {
  let names: string[];
  try {
    names = readdirSync(folder);
  } catch {
    return [];
  }
  return names.flatMap((name) => {
    if (!name.endsWith(ending)) return [];
    const path = join(folder, name);
    const note = readNote(path);
    if (note === undefined) rmSync(path, { force: true });
    return note ?? [];
  });
}

/** Once it is dealt with. */
export function forgetRemoved(folder: string, note: RemovedInterface): void {
  rmSync(join(folder, fileName(note)), { force: true });
}

function readNote(path: string): RemovedInterface | undefined {
  try {
    return v.parse(noteModel, JSON.parse(readFileSync(path, "utf8")));
  } catch {
    return undefined;
  }
}

/** Ids are not made for being names of files. */
function fileName(note: RemovedInterface): string {
  const key = `${note.container}\0${note.interface}`;
  return new Bun.CryptoHasher("sha256").update(key).digest("hex") + ending;
}
