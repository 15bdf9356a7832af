import { readdirSync, readFileSync, readlinkSync } from "node:fs";
import { resolve } from "node:path";

/**
 * How the engine of this host serves TLS, so that its proxy can do the same (docker.md §2): by the
 * arguments of its process, and by the file that they may name.
 */
export interface EngineTlsOptions {
  readonly enabled: boolean;
  /** Clients must have a certificate. */
  readonly verify: boolean;
  /** Absolute paths; missing where nothing was said. */
  readonly ca?: string;
  readonly cert?: string;
  readonly key?: string;
}

const flags: ReadonlyMap<string, keyof EngineTlsOptions> = new Map([
  ["tls", "enabled"],
  ["tlsverify", "verify"],
  ["tlscacert", "ca"],
  ["tlscert", "cert"],
  ["tlskey", "key"],
]);

const defaultConfigFile = "/etc/docker/daemon.json";

/** Arguments of the engine's own process, with its working folder; `undefined` for another process. */
export interface EngineProcess {
  readonly words: readonly string[];
  readonly folder: string;
}

/**
 * The options of the engine that runs beside this process, in the same file system; `undefined`
 * where none is found.
 */
export function detectTls(): EngineTlsOptions | undefined {
  const [engine] = engineProcesses();
  if (engine === undefined) return undefined;
  return mergeTls(tlsOfArguments(engine), tlsOfConfig(readText(configFileOf(engine))));
}

/** What the arguments say goes first. */
export function mergeTls(
  ofArguments: Partial<EngineTlsOptions>,
  ofFile: Partial<EngineTlsOptions>,
): EngineTlsOptions {
  const both = { enabled: false, verify: false, ...ofFile, ...ofArguments };
  return { ...both, enabled: both.enabled || both.verify };
}

export function tlsOfArguments({ words, folder }: EngineProcess): Partial<EngineTlsOptions> {
  const found: Record<string, string | boolean> = {};
  for (const [at, word] of words.entries()) {
    const [, name = "", inline] = /^--?([a-z]+)(?:=(.*))?$/.exec(word) ?? [];
    const option = flags.get(name);
    if (option === undefined) continue;
    if (option === "enabled" || option === "verify") found[option] = isTrue(inline ?? "true");
    else found[option] = resolve(folder, inline ?? words[at + 1] ?? "");
  }
  return found;
}

/** Empty for what is no configuration. */
export function tlsOfConfig(text: string): Partial<EngineTlsOptions> {
  let config: unknown;
  try {
    config = JSON.parse(text);
  } catch {
    return {};
  }
  if (typeof config !== "object" || config === null) return {};
  const found: Record<string, string | boolean> = {};
  for (const [name, value] of Object.entries(config)) {
    const option = flags.get(name);
    if (option === undefined) continue;
    const isSwitch = option === "enabled" || option === "verify";
    if (isSwitch ? typeof value === "boolean" : typeof value === "string") found[option] = value;
  }
  return found;
}

/** Go's words for it. */
function isTrue(text: string): boolean {
  return /^(?:1|t|true)$/i.test(text);
}

function configFileOf({ words, folder }: EngineProcess): string {
  const at = words.findIndex((word) => /^--config-file(?:=|$)/.test(word));
  if (at === -1) return defaultConfigFile;
  return resolve(folder, words[at]!.slice("--config-file=".length) || (words[at + 1] ?? ""));
}

function engineProcesses(): EngineProcess[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .flatMap((pid) => engineProcess(`/proc/${pid}`) ?? []);
}

/** Processes come and go while they are looked at. */
function engineProcess(folder: string): EngineProcess | undefined {
  try {
    const name = readFileSync(`${folder}/comm`, "utf8").trim();
    if (name !== "dockerd" && name !== "docker") return undefined;
    if (readlinkSync(`${folder}/ns/mnt`) !== readlinkSync("/proc/self/ns/mnt")) return undefined;
    const words = readFileSync(`${folder}/cmdline`, "utf8").split("\0").slice(0, -1);
    // Before release 1.12 it was a mode of the client.
    const isEngine = name === "dockerd" || ["daemon", "-d"].includes(words[1] ?? "");
    return isEngine ? { words, folder: readlinkSync(`${folder}/cwd`) } : undefined;
  } catch {
    return undefined;
  }
}

function readText(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
}
