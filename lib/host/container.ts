import { realpathSync, statSync } from "node:fs";
import { WeaveError } from "../base/errors.ts";
import {
  NetworkNamespace,
  namedNamespaceFolder,
  namedNamespaces,
  namespaceOfProcess,
} from "./netns.ts";

/**
 * A container is anything with a network namespace. It is referred to by
 *
 *   netns:<name>   a namespace below /run/netns        ident netns:<name>
 *   netns:<path>   a namespace bound to a file         ident netns:<path>, or netns:<name>
 *   pid:<number>   the namespace of a process          ident pid:<number>, or netns:<name>
 *   anything else  what a container engine knows       ident is the engine's full id
 */
export interface Container {
  /** The stable identity under which addresses and names are kept. */
  readonly ident: string;
  /** Path to its network namespace. */
  readonly namespacePath: string;
  /** As people call it, where an engine knows that. */
  readonly name?: string;
  /** What an engine was told to note of it. */
  readonly labels?: Readonly<Record<string, string>>;
  /** The container's own host name, where an engine knows it. */
  readonly hostname?: string;
  /** The domain that goes with it; empty for none. */
  readonly domain?: string;
  /** The hosts file that the engine has made for it and may still edit. */
  readonly hostsPath?: string;
}

/** What a container engine answers for a name or id; `undefined` when it knows no such container. */
export type EngineLookup = (reference: string) => Promise<EngineAnswer | undefined>;

/** A container engine, as far as the router asks it. Both calls fail when it does not answer. */
export interface ContainerEngine {
  inspect: EngineLookup;
  /** Full ids of the containers that run. */
  runningIds(): Promise<readonly string[]>;
}

export interface EngineAnswer {
  /** The full id. */
  readonly id: string;
  readonly name?: string;
  readonly labels?: Readonly<Record<string, string>>;
  /** Process id of its first process; 0 when it is not running. */
  readonly pid: number;
  readonly hostname: string;
  readonly domainname: string;
  /** The hosts file that it has made; empty for none. */
  readonly hostsPath?: string;
}

const netnsPrefix = "netns:";
const pidPrefix = "pid:";

/**
 * Finds what `reference` stands for.
 *
 * @throws WeaveError `CONTAINER_UNKNOWN`, `CONTAINER_NOT_RUNNING`, `CONTAINER_REFERENCE`
 */
export async function resolveContainer(
  reference: string,
  engine?: EngineLookup,
): Promise<Container> {
  if (reference.startsWith(netnsPrefix)) return byNamespace(reference.slice(netnsPrefix.length));
  if (reference.startsWith(pidPrefix)) return byProcess(reference);
  const found = await engine?.(reference);
  if (found === undefined) throw unknown(reference, engine !== undefined);
  return containerOfEngine(found);
}

/** @throws WeaveError `CONTAINER_NOT_RUNNING` */
export function containerOfEngine(found: EngineAnswer): Container {
  const { id, pid, name, labels, hostname, domainname, hostsPath } = found;
  if (pid === 0) throw notRunning(id);
  return {
    ident: id,
    namespacePath: `/proc/${pid}/ns/net`,
    ...{ hostname, domain: domainname },
    ...(name !== undefined && { name }),
    ...(labels !== undefined && { labels }),
    ...(hostsPath && { hostsPath }),
  };
}

/**
 * Opens a container's namespace, unless it is the one this program runs in. Close it after use.
 *
 * @throws WeaveError `CONTAINER_HOST_NETWORK`, `CONTAINER_NOT_RUNNING`
 */
export function openContainer(container: Container): NetworkNamespace {
  let namespace: NetworkNamespace;
  try {
    namespace = new NetworkNamespace(container.namespacePath);
  } catch (cause) {
    throw notRunning(container.ident, cause);
  }
  using own = NetworkNamespace.current();
  if (namespace.inode !== own.inode) return namespace;
  namespace.close();
  throw new WeaveError(
    "CONTAINER_HOST_NETWORK",
    "Container is running in the host network namespace, and therefore cannot be\n" +
      "connected to weave - perhaps the container was started with --net=host",
    { remedy: "start the container with a network namespace of its own, or use 'weave expose'" },
  );
}

/** Whether a container found by namespace or process is there; `undefined` for an engine's. */
export function isContainerAlive(ident: string): boolean | undefined {
  if (ident.startsWith(pidPrefix)) {
    return namespaceOfProcess(Number(ident.slice(pidPrefix.length))) !== undefined;
  }
  if (!ident.startsWith(netnsPrefix)) return undefined;
  const nameOrPath = ident.slice(netnsPrefix.length);
  return nameOrPath.startsWith("/")
    ? statSync(nameOrPath, { throwIfNoEntry: false }) !== undefined
    : namedNamespaces().some(({ name }) => name === nameOrPath);
}

function byNamespace(nameOrPath: string): Container {
  const isName = !nameOrPath.includes("/");
  if (
    ["", ".", ".."].includes(nameOrPath) ||
    nameOrPath.includes("\0") ||
    (!isName && nameOrPath[0] !== "/")
  ) {
    throw badReference(`${netnsPrefix}${nameOrPath}`);
  }
  const path = isName ? `${namedNamespaceFolder}/${nameOrPath}` : nameOrPath;
  const found = statSync(path, { throwIfNoEntry: false });
  if (found === undefined || found.dev !== statSync("/proc/thread-self/ns/net").dev) {
    const what = found === undefined ? "does not exist" : "is not a network namespace";
    throw new WeaveError("CONTAINER_UNKNOWN", `network namespace ${nameOrPath} ${what}`, {
      remedy: "'ip netns list' shows the namespaces that have a name",
    });
  }
  const canonical = canonicalPath(path);
  const inFolder = canonical.startsWith(`${namedNamespaceFolder}/`);
  if (inFolder) return named(canonical.slice(namedNamespaceFolder.length + 1));
  const byInode = namedNamespaces().find(({ inode }) => inode === found.ino);
  return byInode === undefined
    ? { ident: `${netnsPrefix}${canonical}`, namespacePath: canonical }
    : named(byInode.name);
}

/** Without links on the way; the links of /proc lead nowhere by name and stay as they are. */
function canonicalPath(path: string): string {
  const real = realpathSync(path);
  return real.startsWith("/") ? real : path;
}

function named(name: string): Container {
  return { ident: `${netnsPrefix}${name}`, namespacePath: `${namedNamespaceFolder}/${name}` };
}

function byProcess(reference: string): Container {
  const digits = reference.slice(pidPrefix.length);
  if (!/^[1-9]\d{0,9}$/.test(digits)) throw badReference(reference);
  const inode = namespaceOfProcess(Number(digits));
  if (inode === undefined) throw notRunning(reference);
  const byInode = namedNamespaces().find((candidate) => candidate.inode === inode);
  return byInode === undefined
    ? { ident: reference, namespacePath: `/proc/${digits}/ns/net` }
    : named(byInode.name);
}

function notRunning(ident: string, cause?: unknown): WeaveError {
  return new WeaveError("CONTAINER_NOT_RUNNING", `container ${ident} not running`, {
    remedy: "start the container first",
    cause,
  });
}

function badReference(reference: string): WeaveError {
  return new WeaveError("CONTAINER_REFERENCE", `invalid container reference "${reference}"`, {
    remedy:
      "write netns:<name>, netns:/path/to/namespace, pid:<number>, or a container's name, id or label",
  });
}

function unknown(reference: string, engineAsked: boolean): WeaveError {
  return new WeaveError("CONTAINER_UNKNOWN", `unable to inspect container ${reference}`, {
    remedy: engineAsked
      ? "the container engine knows no such container; netns:<name> and pid:<number> need no engine"
      : "no container engine answers; use netns:<name> or pid:<number>",
  });
}
