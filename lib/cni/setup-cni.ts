import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { errorText, WeaveError } from "../base/errors.ts";
import { formerNetworkFile, networkFile, networkFolder, networkList } from "./network-list.ts";
import { contentMark, linkTarget, putPluginFiles } from "./plugin-files.ts";
import { readRecord, removeRecord, type SetupRecord, saveRecord } from "./setup-record.ts";

/** Where the plugins go, and what the network is like. */
export interface CniSetupRequest {
  /** Before the paths of the host: empty, or where it is mounted. */
  readonly root: string;
  /** Of the plugins; missing for that of the host's runtimes. */
  readonly folder?: string;
  readonly hairpin: boolean;
  /** False: the program and its links alone; a network that is there stays. Default: true. */
  readonly withNetwork?: boolean;
  /** Starts this program. */
  readonly command: readonly string[];
  readonly version: string;
  readonly stateDir: string;
}

export interface CniSetup {
  readonly program: string;
  readonly links: readonly string[];
  /** The network's file; null where the host has no folder for it. */
  readonly network: string | null;
  /** Whether it is as we would write it, or somebody's own. */
  readonly networkIs: "written" | "kept" | "absent";
  /** What else is needed and not there. */
  readonly missing: readonly string[];
}

/**
 * Puts the CNI plugins and their network where container runtimes find them: program, links, and the
 * network last, because a runtime goes by it as soon as it is there. A network that somebody has
 * edited stays.
 *
 * @throws WeaveError `CNI_FOLDER`, `CNI_WRITE`
 */
export function setUpCni(request: CniSetupRequest): CniSetup {
  const folder = pluginFolder(request);
  try {
    const files = putPluginFiles(folder, request.command, request.version);
    const before = readRecord(request.stateDir);
    if (before !== undefined && before.program !== files.program) removeProgram(before);
    const network = putNetwork(request, before);
    const mark = contentMark(files.program) ?? "";
    const { path, text } = network;
    saveRecord(request.stateDir, {
      ...{ program: files.program, mark, links: [...files.links] },
      ...(text !== undefined && { network: { path, text } }),
    });
    return {
      ...files,
      network: network.is === "absent" ? null : path,
      networkIs: network.is,
      missing: existsSync(join(folder, "portmap")) ? [] : [join(folder, "portmap")],
    };
  } catch (cause) {
    throw new WeaveError("CNI_WRITE", `cannot set the CNI plugins up: ${errorText(cause)}`, {
      remedy: "run this as root; what was done so far does no harm",
      cause,
    });
  }
}

/**
 * Takes away what {@link setUpCni} has put there and nobody has changed since. Nothing is left of
 * its record. @throws Error of the file system
 */
export function removeCni(stateDir: string): void {
  const record = readRecord(stateDir);
  if (record === undefined) return;
  const { program, links, network } = record;
  // The network first: without it no runtime calls a plugin.
  if (network !== undefined && textOf(network.path) === network.text) rmSync(network.path);
  const name = program.slice(program.lastIndexOf("/") + 1);
  for (const link of links) if (linkTarget(link) === name) rmSync(link);
  removeProgram(record);
  removeRecord(stateDir);
}

/** Unless something else is in its place. */
function removeProgram({ program, mark }: SetupRecord): void {
  if (contentMark(program) === mark) rmSync(program);
}

/** @throws WeaveError `CNI_FOLDER` */
function pluginFolder({ root, folder }: CniSetupRequest): string {
  const choices = folder
    ? [folder]
    : [join(root, "/opt/cni/bin"), join(root, "/home/kubernetes/bin")];
  const reasons: string[] = [];
  for (const choice of choices) {
    try {
      mkdirSync(choice, { recursive: true });
      return choice;
    } catch (error) {
      reasons.push(`${choice}: ${errorText(error)}`);
    }
  }
  throw new WeaveError("CNI_FOLDER", `no folder for the CNI plugins: ${reasons.join("; ")}`, {
    remedy: "run this as root, or name a folder in WEAVE_CNI_PLUGIN_DIR",
  });
}

/** Where runtimes of the host below `root` look for networks; `undefined` when it has no such folder. */
export function networkFolderOf(root: string): string | undefined {
  const folder = join(root, "/", networkFolder);
  return existsSync(folder) ? folder : undefined;
}

interface Network {
  readonly path: string;
  readonly is: CniSetup["networkIs"];
  /** What we have written, now or before; missing for somebody's own. */
  readonly text?: string;
}

function putNetwork(
  { root, hairpin, withNetwork = true }: CniSetupRequest,
  before: SetupRecord | undefined,
): Network {
  const folder = join(root, "/", networkFolder);
  const path = join(folder, networkFile);
  if (!withNetwork) return { is: "absent", ...(before?.network ?? { path }) };
  if (!existsSync(folder)) return { path, is: "absent" };
  rmSync(join(folder, formerNetworkFile), { force: true });
  const text = networkList({ hairpin });
  const found = textOf(path);
  const isOurs = before?.network?.path === path && before.network.text === found;
  if (found !== undefined && found !== text && !isOurs) return { path, is: "kept" };
  if (found !== text) {
    // Runtimes look at names that end as networks do, so at no half of one.
    writeFileSync(`${path}.tmp`, text);
    renameSync(`${path}.tmp`, path);
  }
  return { path, is: "written", text };
}

function textOf(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return undefined;
  }
}
