import { existsSync } from "node:fs";
import { bindMount } from "../../ffi/namespace.ts";
import { localRouter } from "./local-router.ts";
import type { Environment } from "./parse.ts";
import { processSurroundings } from "./process-surroundings.ts";
import { run } from "./run.ts";

/** The first word by which Docker starts the executable as a managed plugin. */
export const managedPluginWord = "plugin-v2";

/** Where the plugin has what belongs to the host, see build/plugin.ts. */
const hostFolders = { state: "/host/var/lib/weave", sysctl: "/host/proc/sys" } as const;

/** What a plugin of the original has left, which it calls `weave` in that folder. */
const formerDatabase = `${hostFolders.state}/weavedata.db`;

/**
 * The words of `weave launch` for a plugin that Docker keeps, from what `docker plugin set` can say.
 * WEAVE_PASSWORD and WEAVE_MTU are read by `launch` itself. Peers are those of the last run and the
 * managers of the swarm.
 */
export function managedPluginWords(
  environment: Environment,
  facts: { readonly hasFormerDatabase: boolean },
): string[] {
  const { EXTRA_ARGS, IPALLOC_RANGE, LOG_LEVEL, WEAVE_MULTICAST, WEAVE_STATUS_ADDR } = environment;
  return [
    ...["launch", "--foreground", "--plugin-v2", "--plugin-mesh-socket=", "--no-dns", "--resume"],
    // The engine is asked for its swarm, and for nothing else.
    ...["--docker-api=unix:///var/run/docker.sock", "--proxy=false"],
    `--status-addr=${WEAVE_STATUS_ADDR || "0.0.0.0:6782"}`,
    ...(LOG_LEVEL ? [`--log-level=${LOG_LEVEL}`] : []),
    ...(IPALLOC_RANGE ? [`--ipalloc-range=${IPALLOC_RANGE}`] : []),
    ...(WEAVE_MULTICAST ? ["--plugin-v2-multicast"] : []),
    ...(facts.hasFormerDatabase ? [`--import-db=${formerDatabase}`] : []),
    ...(EXTRA_ARGS ?? "").split(/\s+/).filter((word) => word !== ""),
  ];
}

/** The process of such a plugin, until Docker ends it. @throws SystemError */
export function runManagedPlugin(given: Environment): Promise<number> {
  // Docker keeps a plugin from the settings of its own network, which is the host's.
  bindMount(hostFolders.sysctl, "/proc/sys");
  const environment = {
    ...given,
    WEAVE_STATE_DIR: hostFolders.state,
    DOCKER_HOST: undefined,
  };
  const words = managedPluginWords(given, { hasFormerDatabase: existsSync(formerDatabase) });
  return run(words, { ...processSurroundings(localRouter(environment)), environment });
}
