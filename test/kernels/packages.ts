import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { errorText } from "../../lib/base/errors.ts";
import { privateApt } from "../debian-archive.ts";
import { must, run } from "../hosts/shell.ts";

/**
 * Kernels for guests, as Debian packages them. They are fetched once, by the machine's own apt from
 * the archive that its own sources name, into a cache outside the checkout; nothing is installed.
 *
 *   <cache>/<kind>/current          version of the packaged kernel
 *   <cache>/<kind>/<version>/…      what `unpack` makes of the packages
 */
export interface PackagedKernel {
  /** The name of its folder in the cache. */
  readonly kind: string;
  /** Release of Debian. */
  readonly suite: string;
  /** Names or patterns, as `apt-get download` takes them. */
  readonly packages: readonly string[];
  /** The package, as a pattern, whose version is the kernel's. */
  readonly versionOf: string;
  /** Programs of the machine that the kernel needs to be booted. */
  readonly programs: readonly string[];
  /** @param from a folder with the packages @param to an empty folder */
  unpack(from: string, to: string): Promise<void>;
}

/** Programs of the machine that fetching or the guests need. */
const commonPrograms = ["apt-get", "dpkg-deb", "busybox", "ip"];

/** Where fetched kernels are kept: `WEAVE_KERNELS_DIR`, else in the user's cache folder. */
function cacheFolder(): string {
  const cache = process.env.XDG_CACHE_HOME ?? join(homedir(), ".cache");
  return process.env.WEAVE_KERNELS_DIR ?? join(cache, "weave-kernels");
}

/**
 * The unpacked kernel, fetched if it is not there yet.
 *
 * @throws Error saying what is missing
 */
export async function unpackedKernel(kernel: PackagedKernel): Promise<string> {
  const cannot = refusalOf(kernel);
  const programs = [...commonPrograms, ...kernel.programs];
  const missing = programs.filter((name) => Bun.which(name) === null);
  if (missing.length > 0) throw cannot(`there is no ${missing.join(", no ")} on this machine`);
  if (process.getuid?.() !== 0) throw cannot("guests need root");
  const folder = join(cacheFolder(), kernel.kind);
  const current = join(folder, "current");
  if (!existsSync(current)) await fetchInto(folder, kernel);
  return join(folder, readFileSync(current, "utf8").trim());
}

async function fetchInto(folder: string, kernel: PackagedKernel): Promise<void> {
  const scratch = join(folder, `fetching-${process.pid}`);
  const [packages, unpacked] = [join(scratch, "packages"), join(scratch, "kernel")];
  try {
    for (const each of [packages, unpacked]) mkdirSync(each, { recursive: true });
    const version = await fetchPackages(scratch, packages, kernel);
    await kernel.unpack(packages, unpacked);
    rmSync(join(folder, version), { recursive: true, force: true });
    renameSync(unpacked, join(folder, version));
    writeFileSync(join(folder, "current"), version);
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

/** Gives the kernel's version. The machine's lists and cache have no say: both are private. */
async function fetchPackages(
  scratch: string,
  packages: string,
  kernel: PackagedKernel,
): Promise<string> {
  const cannot = refusalOf(kernel);
  const apt = await privateApt(scratch, "deb", kernel.suite).catch((error) => {
    throw cannot(errorText(error));
  });
  const fetch = ["sh", "-c", 'cd "$1" && shift && exec "$@"', "sh", packages];
  for (const step of [
    [...apt, "update"],
    [...fetch, ...apt, "download", ...kernel.packages],
  ]) {
    const { code, stderr } = await run(step, { waitMs: 120_000 });
    if (code !== 0) throw cannot(`its packages cannot be fetched: ${stderr.trim()}`);
  }
  return fileOf(packages, kernel.versionOf).split("_")[1]!;
}

/**
 * Unpacks one of the packages.
 *
 * @param name of the package, a pattern
 * @param parts patterns of tar for what is wanted of it, else everything; each must be there
 */
export async function extract(
  from: string,
  name: string,
  to: string,
  parts: readonly string[] = [],
): Promise<void> {
  const script =
    'deb=$1 to=$2; shift 2; dpkg-deb --fsys-tarfile "$deb" | tar -x -C "$to" --wildcards "$@"';
  await must(["sh", "-c", script, "sh", join(from, fileOf(from, name)), to, ...parts]);
}

function fileOf(folder: string, name: string): string {
  const [found] = [...new Bun.Glob(`${name}_*.deb`).scanSync(folder)];
  if (found === undefined) throw new Error(`the archive gave no ${name}`);
  return found;
}

function refusalOf({ kind, programs }: PackagedKernel): (why: string) => Error {
  return (why) =>
    new Error(
      `the tests on the kernel ${kind} cannot run: ${why}. They need a Debian machine with root, ` +
        "network access to its package archive at the first run, and the programs " +
        [...commonPrograms, ...programs].join(", "),
    );
}
