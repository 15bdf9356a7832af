import type { WaitHelperFolders } from "../wait-helper/mount.ts";
import { type DnsSettings, withDns, withWaitHelper } from "./host-config.ts";
import { JsonObject } from "./json-text.ts";

/**
 * The request to start a container, where it changes how the container was to be run (docker.md
 * §5.2). Engines take that from clients of API versions below 1.24, and would forget what was added
 * when the container was made.
 */
export interface StartSettings {
  readonly folders: Pick<WaitHelperFolders, "noopDir">;
  /** Folder of the wait helper for containers that are attached. */
  readonly waitFolder: string;
  readonly dns: DnsSettings | undefined;
  /** Whether the container has a name in the cluster's domain. */
  readonly isNamed: boolean;
}

/** `undefined` when the request says nothing. @throws WeaveError `JSON_SYNTAX`, `JSON_TYPE` */
export function rewriteStart(text: string, settings: StartSettings): string | undefined {
  if (/^\s*(?:null\s*)?$/.test(text)) return undefined;
  const body = JsonObject.parse(text);
  const isNested = body.has("HostConfig");
  const hostConfig = isNested ? body.object("HostConfig") : body;
  if (hostConfig.isEmpty) return undefined;
  const extended = withOurs(hostConfig, settings);
  return String(isNested ? body.with("HostConfig", extended) : extended);
}

function withOurs(hostConfig: JsonObject, settings: StartSettings): JsonObject {
  const { folders, waitFolder, dns, isNamed } = settings;
  const mode = hostConfig.string("NetworkMode");
  // It will not be attached, and its command goes through the helper all the same.
  if (mode === "host" || mode.startsWith("container:")) {
    return withWaitHelper(hostConfig, folders.noopDir);
  }
  const bound = withWaitHelper(hostConfig, waitFolder);
  return dns === undefined ? bound : withDns(bound, dns, { isNamed });
}
