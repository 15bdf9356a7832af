import { lstatSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { errorText, WeaveError } from "../base/errors.ts";

/**
 * Writes a file whole or not at all, for this user alone: it tells what runs here. It takes the place
 * of a file, and of nothing else: root could put one in the place of /dev/null.
 *
 * @param code of the error when that fails
 */
export function writeWholeFile(file: string, data: string | Uint8Array, code: string): void {
  if (lstatSync(file, { throwIfNoEntry: false })?.isFile() === false) {
    throw new WeaveError(code, `cannot write ${file}: there is something else than a file`, {
      remedy: "give another name, or - for standard output",
    });
  }
  const draft = `${file}.${process.pid}`;
  try {
    // What lies under that name by now is a draft that was given up, or none of ours.
    rmSync(draft, { force: true });
    writeFileSync(draft, data, { mode: 0o600, flag: "wx" });
    renameSync(draft, file);
  } catch (cause) {
    rmSync(draft, { force: true });
    throw new WeaveError(code, `cannot write ${file}: ${errorText(cause)}`, { cause });
  }
}
