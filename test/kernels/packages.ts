import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { errorText } from "../../lib/base/errors.ts";
import { debianArchive } from "../debian-archive.ts";
import { must, run } from "../hosts/shell.ts";

/**
 * The kernel of the guests: user-mode Linux as Debian packages it, with the C library it was built
 * against. Two packages are fetched once, by the machine's own apt from the archive that its own
 * sources name, into a cache outside the checkout; nothing is installed.
 *
 *   <cache>/<version of the kernel package>/
 *     files/   both packages unpacked
 *     root/    the little that the kernel's own process sees: itself, its loader, mount points
 */
const packages = ["user-mode-linux", "libc6"] as const;

/** The release whose kernel runs on processors with large register files; older ones do not. */
const suite = "forky";

/** Programs of the machine that fetching or the guests need. */
const programs = ["apt-get", "dpkg-deb", "unshare", "chroot", "busybox", "ip"];

export interface KernelFiles {
  readonly version: string;
  /** What the kernel's process has as its root folder; the guest's root is mounted at `host`. */
  readonly root: string;
  /** Holds `modules.dep` and what it names. */
  readonly modules: string;
}

/** Where fetched kernels are kept: `WEAVE_KERNELS_DIR`, else in the user's cache folder. */
export function cacheFolder(): string {
  const cache = process.env.XDG_CACHE_HOME ?? join(homedir(), ".cache");
  return process.env.WEAVE_KERNELS_DIR ?? join(cache, "weave-kernels");
}

/** The kernel, fetched if it is not there yet. @throws Error saying what is missing */
export async function kernelFiles(): Promise<KernelFiles> {
  const missing = programs.filter((name) => Bun.which(name) === null);
  if (missing.length > 0) throw cannot(`there is no ${missing.join(", no ")} on this machine`);
  if (process.getuid?.() !== 0) throw cannot("mounting the guest's root needs root");
  const current = join(cacheFolder(), "current");
  if (!existsSync(current)) await fetchInto(current);
  return filesOf(readFileSync(current, "utf8").trim());
}

function filesOf(version: string): KernelFiles {
  const folder = join(cacheFolder(), version);
  const release = readFileSync(join(folder, "release"), "utf8").trim();
  return {
    version,
    root: join(folder, "root"),
    modules: join(folder, "files/usr/lib/uml/modules", release),
  };
}

async function fetchInto(current: string): Promise<void> {
  const scratch = join(cacheFolder(), `fetching-${process.pid}`);
  try {
    const version = await fetchPackages(scratch);
    await unpack(scratch);
    rmSync(join(cacheFolder(), version), { recursive: true, force: true });
    renameSync(join(scratch, "kernel"), join(cacheFolder(), version));
    writeFileSync(current, version);
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

/** Gives the kernel package's version. Whole machines have no say: lists and cache are private. */
async function fetchPackages(scratch: string): Promise<string> {
  const { url, keyring } = await debianArchive().catch((error) => {
    throw cannot(errorText(error));
  });
  for (const folder of ["lists/partial", "cache/archives/partial", "packages"]) {
    mkdirSync(join(scratch, folder), { recursive: true });
  }
  const sources = join(scratch, "kernel.list");
  writeFileSync(sources, `deb [signed-by=${keyring}] ${url} ${suite} main\n`);
  const apt = [
    ...["apt-get", "-qq", "-o", `Dir::Etc::SourceList=${sources}`],
    ...["-o", "Dir::Etc::SourceParts=/nonexistent", "-o", `Dir::State::Lists=${scratch}/lists`],
    ...["-o", `Dir::Cache=${scratch}/cache`, "-o", "Acquire::Check-Valid-Until=false"],
    ...["-o", "APT::Sandbox::User=root", "-o", "Acquire::Retries=2"],
  ];
  const fetch = ["sh", "-c", 'cd "$1" && shift && exec "$@"', "sh", join(scratch, "packages")];
  for (const step of [
    [...apt, "update"],
    [...fetch, ...apt, "download", ...packages],
  ]) {
    const { code, stderr } = await run(step, { waitMs: 120_000 });
    if (code !== 0) throw cannot(`its packages cannot be fetched: ${stderr.trim()}`);
  }
  const [kernel] = [...new Bun.Glob(`${packages[0]}_*.deb`).scanSync(join(scratch, "packages"))];
  return kernel!.split("_")[1]!;
}

async function unpack(scratch: string): Promise<void> {
  const [folder, files] = [join(scratch, "kernel"), join(scratch, "kernel/files")];
  const root = join(folder, "root");
  mkdirSync(files, { recursive: true });
  const found = new Bun.Glob("*.deb").scanSync({ cwd: join(scratch, "packages"), absolute: true });
  for (const path of found) await must(["dpkg-deb", "-x", path, files]);
  const library = "lib/x86_64-linux-gnu";
  for (const mount of ["proc", "dev", "host", "tmp", "bin", "lib64", library]) {
    mkdirSync(join(root, mount), { recursive: true });
  }
  const copy = (from: string, to: string) => must(["cp", "-L", from, join(root, to)]);
  await copy(`${files}/usr/bin/linux.uml`, "bin");
  await copy(`${files}/usr/${library}/ld-linux-x86-64.so.2`, "lib64");
  await copy(`${files}/usr/${library}/libc.so.6`, library);
  const [release] = [
    ...new Bun.Glob("*").scanSync({
      cwd: join(files, "usr/lib/uml/modules"),
      onlyFiles: false,
    }),
  ];
  writeFileSync(join(folder, "release"), release!);
}

function cannot(why: string): Error {
  return new Error(
    `the tests on other kernels cannot run: ${why}. They need a Debian machine with root, network ` +
      `access to its package archive at the first run, and the programs ${programs.join(", ")}`,
  );
}
