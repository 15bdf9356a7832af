import {
  chmodSync,
  copyFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { basename, dirname, join } from "node:path";
import { buildExecutable } from "./build.ts";

/**
 * Makes what `install.sh` downloads, for the kind of machine this runs on:
 *
 *   dist/weave-<version>-linux-x64.tar.gz    the executable, completions, manual page, licences
 *   dist/SHA256SUMS                          its checksum
 *   dist/install.sh                          with WEAVE_BASE_URL as the place of releases, which
 *                                            the executable knows as well
 *
 * Publish the three as <WEAVE_BASE_URL>/<version>/ and as <WEAVE_BASE_URL>/latest/.
 */
const root = join(import.meta.dir, "..");

/** What stands in a release beside the executable, by path from the root. */
const companions = [
  "completions/weave.bash",
  "completions/_weave",
  "completions/weave.fish",
  "docs/man/weave.1",
  "docs/licenses",
  "LICENSE",
];

const platforms: Readonly<Record<string, string>> = { x64: "linux-x64", arm64: "linux-arm64" };

/** Packs `executable` as release `version`; returns the path of the archive. */
export async function packRelease(
  executable: string,
  version: string,
  folder: string,
  baseUrl: string | undefined,
): Promise<string> {
  const name = `weave-${version}-${platforms[process.arch]}`;
  const tree = join(folder, name);
  rmSync(tree, { recursive: true, force: true });
  mkdirSync(tree, { recursive: true });
  copyFileSync(executable, join(tree, "weave"));
  chmodSync(join(tree, "weave"), 0o755);
  for (const path of companions.filter((each) => existsSync(join(root, each)))) {
    mkdirSync(dirname(join(tree, path)), { recursive: true });
    cpSync(join(root, path), join(tree, path), { recursive: true });
  }
  const archive = join(folder, `${name}.tar.gz`);
  // Equal input gives an equal archive: no names, no times, one order.
  const stable = ["--sort=name", "--mtime=@0", "--owner=0", "--group=0", "--numeric-owner"];
  await must(["tar", "-C", folder, ...stable, "-czf", archive, name]);
  rmSync(tree, { recursive: true });
  writeFileSync(join(folder, "SHA256SUMS"), `${await sha256(archive)}  ${basename(archive)}\n`);
  writeInstaller(join(folder, "install.sh"), baseUrl);
  return archive;
}

function writeInstaller(path: string, baseUrl: string | undefined): void {
  const script = readFileSync(join(root, "install.sh"), "utf8");
  const line = 'default_base_url=""';
  if (!script.includes(line)) throw new Error(`install.sh has no line ${line}`);
  const written = baseUrl === undefined ? line : `default_base_url="${baseUrl}"`;
  writeFileSync(
    path,
    script.replace(line, () => written),
    { mode: 0o755 },
  );
}

async function sha256(path: string): Promise<string> {
  const hasher = new Bun.CryptoHasher("sha256");
  for await (const chunk of Bun.file(path).stream()) hasher.update(chunk);
  return hasher.digest("hex");
}

async function must(command: string[]): Promise<void> {
  const child = Bun.spawn(command, { stdout: "inherit", stderr: "inherit" });
  if ((await child.exited) !== 0) throw new Error(`${command.join(" ")} failed`);
}

if (import.meta.main) {
  const { path, version } = await buildExecutable();
  const archive = await packRelease(path, version, dirname(path), process.env.WEAVE_BASE_URL);
  console.log(archive);
}
