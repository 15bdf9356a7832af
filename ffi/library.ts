import { dlopen, type FFIFunction } from "bun:ffi";
import { readFileSync } from "node:fs";
import { closeDescriptor, memoryFile } from "./descriptor.ts";
import { SystemError } from "./system-error.ts";

/** A native library besides the C library. */
export interface LibraryName {
  /** What the system's loader is asked for, e.g. `libnl-3.so.200`. */
  readonly soname: string;
  /** Name of the copy inside the executable, if it has one. */
  readonly carried?: string;
}

/** One that the executable carries, see build/embed-libraries.ts. */
export interface CarriedLibraryName extends LibraryName {
  readonly carried: string;
}

export const libnlName: CarriedLibraryName = { soname: "libnl-3.so.200", carried: "libnl-3.so" };
export const libsodiumName: CarriedLibraryName = {
  soname: "libsodium.so.23",
  carried: "libsodium.so",
};
export const libcryptoName: LibraryName = { soname: "libcrypto.so.3" };

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
    const { carried } = name;
    const content = carried === undefined ? undefined : carriedLibrary(carried);
    if (carried === undefined || content === undefined) throw missing(name, cause);
    // A file in memory needs no writable folder and leaves nothing behind. The loader keeps its
    // own mapping, so the descriptor may go.
    const descriptor = memoryFile(carried, content);
    try {
      return opened("carried", `/proc/self/fd/${descriptor}`);
    } finally {
      closeDescriptor(descriptor);
    }
  }
}

function carriedLibrary(carried: string): Uint8Array | undefined {
  const isCarried = Bun.embeddedFiles.some((file) => "name" in file && file.name === carried);
  return isCarried ? readFileSync(`/$bunfs/root/${carried}`) : undefined;
}

function missing(name: LibraryName, cause: unknown): SystemError {
  const ENOENT = 2;
  const detail = cause instanceof Error ? cause.message : String(cause);
  return new SystemError({ call: "dlopen", errno: ENOENT, about: name.soname, detail });
}
