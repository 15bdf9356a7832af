import { copyFileSync, mkdirSync, realpathSync, statSync } from "node:fs";
import { join } from "node:path";
import { type LibraryName, libnlName, libsodiumName } from "../ffi/library.ts";

/** Folders that hold libraries when the loader's own list cannot be read. */
const usualFolders = [
  `/usr/lib/${process.arch === "arm64" ? "aarch64" : "x86_64"}-linux-gnu`,
  "/usr/lib64",
  "/usr/lib",
  "/lib64",
  "/lib",
];

/**
 * How files among a build's entry points are to be named, so that ffi/library.ts finds them in the
 * executable: pass it as `naming.asset`.
 */
export const embeddedNaming = "[name].[ext]";

/**
 * Copies the build machine's libraries to `build/cache` and returns the copies' paths: further
 * entry points of the build. The loader must turn `.so` into files.
 *
 * @throws Error naming the package to install
 */
export function embedLibraries(root: string): string[] {
  const cache = join(root, "build/cache");
  mkdirSync(cache, { recursive: true });
  const packages = new Map([
    [libnlName, "libnl-3-200"],
    [libsodiumName, "libsodium23"],
  ]);
  return [...packages].map(([name, debianPackage]) => {
    const found = findLibrary(name);
    if (found === undefined) {
      throw new Error(
        `${name.soname} is missing here; install it: apt-get install ${debianPackage}`,
      );
    }
    const copy = join(cache, name.carried);
    copyFileSync(found, copy);
    return copy;
  });
}

/** The file itself, behind all links; `undefined` when this machine has no such library. */
export function findLibrary(name: LibraryName): string | undefined {
  const candidates = [
    ...loaderPaths(name.soname),
    ...usualFolders.map((f) => join(f, name.soname)),
  ];
  const path = candidates.find((each) => statSync(each, { throwIfNoEntry: false })?.isFile());
  return path === undefined ? undefined : realpathSync(path);
}

/** Where the loader would take it from, for this machine's architecture. */
function loaderPaths(soname: string): string[] {
  const program = Bun.which("ldconfig", { PATH: `${process.env.PATH}:/sbin:/usr/sbin` });
  if (program === null) return [];
  const architecture = process.arch === "arm64" ? "AArch64" : "x86-64";
  const list = Bun.spawnSync([program, "-p"]).stdout.toString();
  return list
    .split("\n")
    .filter((line) => line.trim().startsWith(`${soname} `) && line.includes(architecture))
    .flatMap((line) => line.split(" => ")[1]?.trim() ?? []);
}
