import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { managedPluginWord } from "../lib/cli/managed-plugin.ts";
import { buildExecutable } from "./build.ts";
import { executablePath, makeRootFolder } from "./root-folder.ts";

/**
 * Makes the folder from which `docker plugin create <name> dist/plugin` makes a managed plugin:
 *
 *   dist/plugin/config.json    what it needs of the host, and what `docker plugin set` may say
 *   dist/plugin/rootfs/        the executable and what it runs with, see root-folder.ts
 */
const root = join(import.meta.dir, "..");

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
    entrypoint: [executablePath, managedPluginWord],
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
  rmSync(folder, { recursive: true, force: true });
  makeRootFolder(join(folder, "rootfs"), { program, folders });
  writeFileSync(join(folder, "config.json"), `${JSON.stringify(pluginConfig(), null, 2)}\n`);
}

if (import.meta.main) {
  const { path, version } = await buildExecutable();
  const folder = join(root, "dist/plugin");
  packPlugin(path, folder);
  console.log(`${folder}: weave ${version}; docker plugin create <name> ${folder}`);
}
