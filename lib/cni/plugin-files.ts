import {
  constants,
  copyFileSync,
  linkSync,
  lstatSync,
  readlinkSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { pluginNames } from "./plugin-name.ts";

/**
 * The plugins' files in a folder, each put there in one step, so that no runtime meets half of one:
 *
 *   weave-plugin-<version>   this program: the same file where the file system is the same, else a
 *                            copy
 *   weave-net, weave-ipam    links to it; the program goes by the name that it is called by
 */
export interface PluginFiles {
  readonly program: string;
  readonly links: readonly string[];
}

/** @throws Error of the file system */
export function putPluginFiles(
  folder: string,
  command: readonly string[],
  version: string,
): PluginFiles {
  const name = `weave-plugin-${version}`;
  const program = join(folder, name);
  putProgram(program, command);
  const links = pluginNames.map((each) => join(folder, each));
  for (const link of links) putLink(link, name);
  return { program, links };
}

/** Tells a file from what comes to be in its place: size and time of the last change. */
export function contentMark(path: string): string | undefined {
  const found = lstatSync(path, { throwIfNoEntry: false });
  return found?.isFile() === true ? `${found.size} ${Math.trunc(found.mtimeMs)}` : undefined;
}

/** Where a link leads; `undefined` for what is none. */
export function linkTarget(path: string): string | undefined {
  try {
    return readlinkSync(path);
  } catch {
    return undefined;
  }
}

function putProgram(path: string, [program = "", ...words]: readonly string[]): void {
  if (words.length > 0) {
    // A program that an interpreter runs cannot go by a name of its own.
    const line = [program, ...words].map((word) => `'${word.replaceAll("'", `'\\''`)}'`).join(" ");
    const script = `#!/bin/sh\nexec ${line} cni-plugin "\${0##*/}"\n`;
    put(path, (scratch) => writeFileSync(scratch, script, { mode: 0o755 }));
    return;
  }
  if (isSameFile(program, path)) return;
  put(path, (scratch) => {
    try {
      linkSync(program, scratch);
    } catch {
      const { atime, mtime } = statSync(program);
      copyFileSync(program, scratch, constants.COPYFILE_FICLONE);
      utimesSync(scratch, atime, mtime);
    }
  });
}

function putLink(path: string, target: string): void {
  if (linkTarget(path) === target) return;
  put(path, (scratch) => symlinkSync(target, scratch));
}

function put(path: string, make: (scratch: string) => void): void {
  const scratch = `${path}.tmp`;
  rmSync(scratch, { force: true });
  make(scratch);
  renameSync(scratch, path);
}

/** The file itself, or a copy that was made of it; a pod has its own file system at each start. */
function isSameFile(a: string, b: string): boolean {
  if (linkTarget(b) !== undefined) return false;
  const mark = contentMark(a);
  return mark !== undefined && mark === contentMark(b);
}
