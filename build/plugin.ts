import { chmodSync, copyFileSync, existsSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { libcryptoName } from "../ffi/library.ts";
import { managedPluginWord } from "../lib/cli/managed-plugin.ts";
import { buildExecutable } from "./build.ts";
import { findLibrary } from "./embed-libraries.ts";

/**
 * Makes the folder from which `docker plugin create <name> dist/plugin` makes a managed plugin:
 *
 *   dist/plugin/config.json    what it needs of the host, and what `docker plugin set` may say
 *   dist/plugin/rootfs/        the executable, the libraries it is linked to, and iptables, by
 *                              which it gets along with the rules of Docker
 */
const root = join(import.meta.dir, "..");

const executable = "/usr/local/bin/weave";

/** Found on the building machine; a host that filters by nftables alone does without. */
const firewallPrograms = ["iptables", "ip6tables"].flatMap((name) =>
  ["", "-legacy"].flatMap((half) => [name + half, `${name}${half}-restore`]),
);
const firewallModules = "xtables";

const folders = ["dev", "etc", "host", "proc", "run/docker/plugins", "sys", "tmp", "var"];

const settable = {
  LOG_LEVEL: ["info", "debug, info, warning or error"],
  EXTRA_ARGS: ["", "more options of 'weave launch', separated by blanks"],
  WEAVE_PASSWORD: ["", "encrypts traffic between hosts; the same on every host"],
  WEAVE_MTU: ["", "size of packets inside the network"],
  WEAVE_MULTICAST: ["", "any value routes multicast into all networks"],
  IPALLOC_RANGE: ["", "the addresses that weave itself gives out"],
} as const;

/** What Docker is told of the plugin (docs.docker.com/engine/extend/config). */
export function pluginConfig(): object {
  const bound = (source: string, destination: string) => ({
    ...{ source, destination, type: "bind", options: ["rbind"] },
  });
  return {
    description: "weave: one flat Ethernet for containers on many hosts",
    documentation: "https://docs.docker.com/engine/extend/",
    entrypoint: [executable, managedPluginWord],
    workdir: "/",
    interface: { types: ["docker.networkdriver/1.0"], socket: "weave.sock" },
    network: { type: "host" },
    linux: { capabilities: ["CAP_SYS_ADMIN", "CAP_NET_ADMIN", "CAP_SYS_MODULE"] },
    mounts: [
      bound("/proc/", "/host/proc/"),
      bound("/var/run/docker.sock", "/var/run/docker.sock"),
      bound("/var/lib/", "/host/var/lib/"),
    ],
    env: Object.entries(settable).map(([name, [value, description]]) => ({
      ...{ name, description, value, settable: ["value"] },
    })),
  };
}

/** Makes the folder anew from an executable. @throws Error when a library is missing */
export function packPlugin(program: string, folder: string): void {
  const rootfs = join(folder, "rootfs");
  rmSync(folder, { recursive: true, force: true });
  for (const each of folders) mkdirSync(join(rootfs, each), { recursive: true });
  place(program, join(rootfs, executable));
  const libcrypto = findLibrary(libcryptoName);
  const files = [
    ...librariesOf(program),
    ...(libcrypto === undefined ? [] : [libcrypto, ...librariesOf(libcrypto)]),
    ...firewallPrograms.flatMap((name) => {
      const path = Bun.which(name, { PATH: "/usr/sbin:/sbin:/usr/bin:/bin" });
      return path === null ? [] : [path, ...librariesOf(path)];
    }),
    ...modulesOfFirewall(),
  ];
  for (const file of new Set(files)) place(file, join(rootfs, file));
  writeFileSync(join(folder, "config.json"), `${JSON.stringify(pluginConfig(), null, 2)}\n`);
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
  return [...new Bun.Glob("*.so").scanSync(found)].map((name) => join(found, name));
}

/** The file itself in the place of a link to it. */
function place(source: string, target: string): void {
  mkdirSync(dirname(target), { recursive: true });
  copyFileSync(source, target);
  chmodSync(target, 0o755);
}

if (import.meta.main) {
  const { path, version } = await buildExecutable();
  const folder = join(root, "dist/plugin");
  packPlugin(path, folder);
  console.log(`${folder}: weave ${version}; docker plugin create <name> ${folder}`);
}
