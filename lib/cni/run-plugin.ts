import { emptyConfig, type NetworkConfig, parseConfig } from "./cni-config.ts";
import { CniError, cniCode } from "./cni-error.ts";
import { type CniCommand, commandOf, targetOf } from "./cni-input.ts";
import { formatResult } from "./cni-result.ts";
import {
  type CniVersion,
  cniVersions,
  isCniVersion,
  isFrom,
  newestVersion,
} from "./cni-version.ts";
import { ipamPlugin } from "./ipam-plugin.ts";
import { netPlugin } from "./net-plugin.ts";
import type { CniPlugin, PluginCall } from "./plugin-call.ts";
import type { PluginName } from "./plugin-name.ts";

const plugins: Readonly<Record<PluginName, CniPlugin>> = {
  "weave-net": netPlugin,
  "weave-ipam": ipamPlugin,
};

export type PluginSurroundings = Omit<PluginCall, "config">;

/** What goes to stdout, if anything, and the exit code. */
export interface PluginOutcome {
  readonly output?: object;
  readonly exitCode: 0 | 1;
}

/**
 * One call of a plugin:
 *
 *   CNI_COMMAND ─▶ configuration ─▶ CNI_CONTAINERID, … ─▶ plugin ─▶ result in the version asked for
 *                                                             └──▶ error with its code, exit 1
 */
export async function runPlugin(
  name: PluginName,
  surroundings: PluginSurroundings,
): Promise<PluginOutcome> {
  let version: CniVersion = newestVersion;
  try {
    const command = commandOf(surroundings.environment);
    if (command === "VERSION") return { output: versions(surroundings.stdin), exitCode: 0 };
    const config = configFor(command, surroundings);
    version = config.version;
    checkVersion(command, version);
    const result = await act(plugins[name], command, { ...surroundings, config });
    return { ...(result && { output: result }), exitCode: 0 };
  } catch (error) {
    return { output: errorOutput(error, version), exitCode: 1 };
  }
}

async function act(
  plugin: CniPlugin,
  command: Exclude<CniCommand, "VERSION">,
  call: PluginCall,
): Promise<object | undefined> {
  if (command === "GC") await plugin.collect(call);
  else if (command === "STATUS") await plugin.status(call);
  else {
    const target = targetOf(call.environment, command);
    if (command === "ADD") {
      return formatResult(await plugin.add(call, target), call.config.version);
    }
    await (command === "DEL" ? plugin.remove(call, target) : plugin.check(call, target));
  }
  return undefined;
}

/** DEL is done whatever the configuration has become: what it was is not needed for our own part. */
function configFor(command: CniCommand, { stdin, warn }: PluginSurroundings): NetworkConfig {
  try {
    return parseConfig(stdin);
  } catch (error) {
    if (command !== "DEL" || !(error instanceof CniError)) throw error;
    warn(`the configuration is not read: ${error.message}`);
    return emptyConfig;
  }
}

const firstVersions: Partial<Record<CniCommand, CniVersion>> = {
  CHECK: "0.4.0",
  GC: "1.1.0",
  STATUS: "1.1.0",
};

function checkVersion(command: CniCommand, version: CniVersion): void {
  const first = firstVersions[command];
  if (first === undefined || isFrom(version, first)) return;
  throw new CniError(
    cniCode.incompatibleVersion,
    `version ${version} of CNI has no ${command}`,
    `set cniVersion to ${first} or later`,
  );
}

/** In the version of who asks, if that is one of ours. */
function versions(stdin: string): object {
  let asked: CniVersion = newestVersion;
  try {
    const { cniVersion }: { cniVersion?: unknown } = JSON.parse(stdin);
    if (typeof cniVersion === "string" && isCniVersion(cniVersion)) asked = cniVersion;
  } catch {
    // Early runtimes ask without a configuration.
  }
  return { cniVersion: asked, supportedVersions: cniVersions };
}

function errorOutput(error: unknown, cniVersion: CniVersion): object {
  const { code, message, details } =
    error instanceof CniError ? error : new CniError(cniCode.failed, String(error));
  return { cniVersion, code, msg: message, ...(details !== "" && { details }) };
}
