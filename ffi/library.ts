import { dlopen, type FFIFunction } from "bun:ffi";
import { readFileSync } from "node:fs";
import { closeDescriptor, memoryFile } from "./descriptor.ts";
import { SystemError } from "./system-error.ts";

/** A native library besides the C library, as systems name it and as the executable carries it. */
export interface LibraryName {
  /** What the system's loader is asked for, e.g. `libnl-3.so.200`. */
  readonly soname: string;
  /** Name of the copy inside the executable, see build/embed-libraries.ts. */
  readonly carried: string;
}

export const libnlName: LibraryName = { soname: "libnl-3.so.200", carried: "libnl-3.so" };
export const libsodiumName: LibraryName = { soname: "libsodium.so.23", carried: "libsodium.so" };

/** Where a library was taken from: the system comes first, so that its updates count. */
export type LibraryOrigin = "system" | "carried";

/**
 * Opens the system's library, else the copy carried in the executable.
 *
 * @throws SystemError `SYS_ENOENT` when there is neither
 */
export function openLibrary<Functions extends Record<string, FFIFunction>>(
  name: LibraryName,
  functions: Functions,
) {
  const opened = (origin: LibraryOrigin, path: string) => ({
    origin,
    symbols: dlopen(path, functions).symbols,
  });
  try {
    return opened("system", name.soname);
  } catch (cause) {
    const content = carriedLibrary(name);
    if (content === undefined) throw missing(name, cause);
    // A file in memory needs no writable folder and leaves nothing behind. The loader keeps its
    // own mapping, so the descriptor may go.
    const descriptor = memoryFile(name.carried, content);
    try {
      return opened("carried", `/proc/self/fd/${descriptor}`);
    } finally {
      closeDescriptor(descriptor);
    }
  }
}

function carriedLibrary(name: LibraryName): Uint8Array | undefined {
  const isCarried = Bun.embeddedFiles.some((file) => "name" in file && file.name === name.carried);
  return isCarried ? readFileSync(`/$bunfs/root/${name.carried}`) : undefined;
}

function missing(name: LibraryName, cause: unknown): SystemError {
  const ENOENT = 2;
  const detail = cause instanceof Error ? cause.message : String(cause);
  return new SystemError({ call: "dlopen", errno: ENOENT, about: name.soname, detail });
}
