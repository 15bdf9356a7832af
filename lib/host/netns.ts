import {
  closeSync,
  fstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  statSync,
  unlinkSync,
} from "node:fs";
import { closeDescriptor, openReadOnly } from "../../ffi/descriptor.ts";
import {
  bindMount,
  enterNetworkNamespace,
  newNetworkNamespace,
  unmount,
} from "../../ffi/namespace.ts";
import { assert, WeaveError } from "../base/errors.ts";

/** Where `ip netns` and this program keep namespaces that have a name. */
export const namedNamespaceFolder = "/run/netns";

const ownNamespacePath = "/proc/thread-self/ns/net";

/**
 * An open network namespace. It stays in existence while it is open, also after its last process
 * has ended; {@link inode} tells whether two of them are the same.
 */
export class NetworkNamespace {
  readonly descriptor: number;
  readonly inode: number;
  /** Where it was opened, for messages. */
  readonly path: string;
  #open = true;

  /** @throws SystemError */
  constructor(path: string) {
    this.descriptor = openReadOnly(path);
    this.inode = fstatSync(this.descriptor).ino;
    this.path = path;
  }

  /** The namespace in which the calling thread is. */
  static current(): NetworkNamespace {
    return new NetworkNamespace(ownNamespacePath);
  }

  /**
   * Runs `action` with the calling thread inside this namespace and returns to where the thread
   * was. Sockets opened inside stay inside; programs started inside run there. `action` must be
   * synchronous, because other work of this thread would be carried along; and short, because a
   * compiler thread that the runtime happens to start meanwhile keeps the namespace in existence
   * until it has had nothing to do for some ten seconds.
   *
   * @throws SystemError when the namespace cannot be entered, and whatever `action` throws
   */
  run<Result>(action: () => Result): Result {
    const home = openReadOnly(ownNamespacePath);
    try {
      enterNetworkNamespace(this.descriptor, this.path);
      try {
        const result = action();
        assert(!(result instanceof Promise), "work inside a namespace must be synchronous");
        return result;
      } finally {
        enterNetworkNamespace(home, "the namespace this thread came from");
      }
    } finally {
      closeDescriptor(home);
    }
  }

  close(): void {
    if (!this.#open) return;
    this.#open = false;
    closeDescriptor(this.descriptor);
  }

  [Symbol.dispose](): void {
    this.close();
  }
}

/** `undefined` when there is nothing to be opened any more. */
export function tryOpenNamespace(path: string): NetworkNamespace | undefined {
  try {
    return new NetworkNamespace(path);
  } catch {
    return undefined;
  }
}

/** Tells a namespace from all others of this machine, before and after a boot. */
export function namespaceIdentity({ inode }: Pick<NetworkNamespace, "inode">): string {
  const boot = readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim();
  return `${inode} ${boot}`;
}

/** A namespace known by name. */
export interface NamedNamespace {
  readonly name: string;
  readonly path: string;
  readonly inode: number;
}

/** All namespaces with a name, in order of their names; leftovers that hold none are left out. */
export function namedNamespaces(): NamedNamespace[] {
  let names: string[];
  try {
    names = readdirSync(namedNamespaceFolder);
  } catch {
    return [];
  }
  const kind = statSync(ownNamespacePath).dev;
  return names.sort().flatMap((name) => {
    const path = `${namedNamespaceFolder}/${name}`;
    const found = statSync(path, { throwIfNoEntry: false });
    return found?.dev === kind ? [{ name, path, inode: found.ino }] : [];
  });
}

/** The lowest process id of each namespace that has a process, by the namespace's inode. */
export function processesByNamespace(): Map<number, number> {
  const lowest = new Map<number, number>();
  const pids = readdirSync("/proc").map(Number).filter(Number.isInteger);
  for (const pid of pids.sort((a, b) => a - b)) {
    const inode = namespaceOfProcess(pid);
    if (inode !== undefined && !lowest.has(inode)) lowest.set(inode, pid);
  }
  return lowest;
}

/** Inode of a running process's network namespace; `undefined` when there is no such process. */
export function namespaceOfProcess(pid: number): number | undefined {
  try {
    const inode = /^net:\[(\d+)\]$/.exec(readlinkSync(`/proc/${pid}/ns/net`))?.[1];
    return inode === undefined ? undefined : Number(inode);
  } catch {
    return undefined;
  }
}

/** Makes an empty namespace and gives it a name. @throws WeaveError `NETNS_EXISTS`, SystemError */
export function createNamedNamespace(name: string): NetworkNamespace {
  const path = `${namedNamespaceFolder}/${name}`;
  mkdirSync(namedNamespaceFolder, { recursive: true });
  try {
    closeSync(openSync(path, "wx", 0o444));
  } catch (cause) {
    throw new WeaveError("NETNS_EXISTS", `network namespace ${name} cannot be made`, {
      remedy: `remove it first: ip netns delete ${name}`,
      cause,
    });
  }
  const home = NetworkNamespace.current();
  try {
    newNetworkNamespace();
    bindMount(ownNamespacePath, path);
  } catch (error) {
    unlinkSync(path);
    throw error;
  } finally {
    enterNetworkNamespace(home.descriptor, "the namespace this thread came from");
    home.close();
  }
  return new NetworkNamespace(path);
}

/** Takes the name away; the namespace goes with its last process. @throws SystemError */
export function deleteNamedNamespace(name: string): void {
  const path = `${namedNamespaceFolder}/${name}`;
  unmount(path);
  unlinkSync(path);
}
