import { CniError, cniCode } from "./cni-error.ts";

/** What a runtime wants. */
export const cniCommands = ["ADD", "DEL", "CHECK", "GC", "STATUS", "VERSION"] as const;
export type CniCommand = (typeof cniCommands)[number];

type Environment = Readonly<Record<string, string | undefined>>;

/** For whom: all of it for ADD, DEL and CHECK. */
export interface CniTarget {
  readonly container: string;
  /** Path of the container's network namespace; empty for one that is gone. */
  readonly namespace: string;
  /** Name of the interface inside. */
  readonly interface: string;
}

/** @throws CniError bad environment */
export function commandOf({ CNI_COMMAND: word }: Environment): CniCommand {
  const command = cniCommands.find((each) => each === word);
  if (command !== undefined) return command;
  throw new CniError(
    cniCode.badEnvironment,
    word ? `CNI_COMMAND "${word}" is not known` : "CNI_COMMAND is not set",
    "this program is started by a container runtime; see the CNI specification",
  );
}

/**
 * The rules are those of the specification for ids and the kernel's for names of interfaces. Words
 * of `CNI_ARGS` are for whoever knows them.
 *
 * @throws CniError bad environment
 */
export function targetOf(environment: Environment, command: CniCommand): CniTarget {
  const {
    CNI_CONTAINERID: container = "",
    CNI_NETNS: namespace = "",
    CNI_IFNAME: name = "",
  } = environment;
  if (!/^[a-zA-Z0-9][\w.-]{0,255}$/.test(container)) throw bad("CNI_CONTAINERID", container);
  if (!isInterfaceName(name)) throw bad("CNI_IFNAME", name);
  const isNeeded = command !== "DEL";
  if ((isNeeded || namespace !== "") && !/^\/[^\0]{1,255}$/.test(namespace)) {
    throw bad("CNI_NETNS", namespace);
  }
  return { container, namespace, interface: name };
}

/** The pod that a container is of, as runtimes of Kubernetes tell. */
export interface CniPod {
  readonly namespace: string;
  readonly name: string;
  readonly uid?: string;
}

/** What `CNI_ARGS` says of the pod; `undefined` where it names none. Other words are for others. */
export function podOf({ CNI_ARGS = "" }: Environment): CniPod | undefined {
  const words = new Map(
    CNI_ARGS.split(";").map((word) => [word.replace(/=.*/s, ""), word.replace(/^[^=]*=?/, "")]),
  );
  const [namespace, name] = [words.get("K8S_POD_NAMESPACE"), words.get("K8S_POD_NAME")];
  const uid = words.get("K8S_POD_UID");
  if (!namespace || !name) return undefined;
  return { namespace, name, ...(uid && { uid }) };
}

/** Folders in which other plugins are looked for. */
export function pluginFolders({ CNI_PATH = "" }: Environment): string[] {
  return CNI_PATH.split(":").filter((folder) => folder.startsWith("/"));
}

function isInterfaceName(name: string): boolean {
  return /^[^\s/:\0]{1,15}$/.test(name) && name !== "." && name !== "..";
}

function bad(variable: string, text: string): CniError {
  const said = text === "" ? "is not set" : `is no proper one: "${text.slice(0, 64)}"`;
  return new CniError(cniCode.badEnvironment, `${variable} ${said}`);
}
