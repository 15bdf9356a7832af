import { chmodSync, copyFileSync, existsSync, mkdirSync, readdirSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";
import { libcryptoName } from "../ffi/library.ts";
import { findLibrary } from "./embed-libraries.ts";

/**
 * Folders that become the root of a container: the executable, the libraries it is linked to, and
 * iptables, by which it gets along with the rules of others. All is taken from the building machine.
 */
export const executablePath = "/usr/local/bin/weave";

/** A host that filters by nftables alone does without. */
const firewallPrograms = ["iptables", "ip6tables"].flatMap((name) =>
  ["", "-legacy"].flatMap((half) => [name + half, `${name}${half}-restore`]),
);
const firewallModules = "xtables";

/**
 * Makes the folder anew.
 *
 * @param folders empty ones, for whatever is mounted there
 * @param programs further ones to take along where the machine has them
 * @throws Error when a library is missing
 */
export function makeRootFolder(
  root: string,
  { program, folders, programs = [] }: RootContent,
): void {
  rmSync(root, { recursive: true, force: true });
  for (const each of folders) mkdirSync(join(root, each), { recursive: true });
  placeFile(program, join(root, executablePath));
  const libcrypto = findLibrary(libcryptoName);
  const files = [
    ...librariesOf(program),
    ...(libcrypto === undefined ? [] : [libcrypto, ...librariesOf(libcrypto)]),
    ...[...firewallPrograms, ...programs].flatMap((name) => {
      const path = findProgram(name);
      return path === null ? [] : [path, ...librariesOf(path)];
    }),
    ...modulesOfFirewall(),
  ];
  for (const file of new Set(files)) placeFile(file, join(root, file));
}

export interface RootContent {
  /** The executable. */
  readonly program: string;
  readonly folders: readonly string[];
  readonly programs?: readonly string[];
}

/** A program of the building machine; `null` when it has none of that name. */
export function findProgram(name: string): string | null {
  return Bun.which(name, { PATH: "/usr/sbin:/sbin:/usr/bin:/bin" });
}

/** Where the loader finds what a program is linked to, the loader included. */
function librariesOf(program: string): string[] {
  const { stdout } = Bun.spawnSync(["ldd", program]);
  return stdout
    .toString()
    .split("\n")
    .flatMap((line) => /(?:=> )?(\/\S+) \(0x/.exec(line)?.[1] ?? []);
}

function modulesOfFirewall(): string[] {
  const found = ["/usr/lib/x86_64-linux-gnu", "/usr/lib/aarch64-linux-gnu", "/usr/lib"]
    .map((folder) => join(folder, firewallModules))
    .find((folder) => existsSync(folder));
  if (found === undefined) return [];
  // Many of them are links to one that has several targets.
  const names = readdirSync(found).filter((name) => name.endsWith(".so"));
  return names.map((name) => join(found, name));
}

/** The file itself in the place of a link to it. */
function placeFile(source: string, target: string): void {
  mkdirSync(dirname(target), { recursive: true });
  copyFileSync(source, target);
  chmodSync(target, 0o755);
}
