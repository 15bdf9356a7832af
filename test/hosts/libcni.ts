import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { Host } from "./lab.ts";
import type { Outcome } from "./shell.ts";

/** A network as a file of it says, as far as runtimes look. */
export interface NetworkList {
  readonly name: string;
  readonly cniVersion: string;
  readonly disableCheck?: boolean;
  readonly plugins: readonly PluginConfig[];
}

interface PluginConfig {
  readonly type: string;
  readonly capabilities?: Readonly<Record<string, boolean>>;
}

/** What holds the namespaces of a pod. */
export interface Sandbox {
  readonly id: string;
  /** Name of its network namespace. */
  readonly netns: string;
  /** What Kubernetes calls the pod. */
  readonly pod: { readonly namespace: string; readonly name: string; readonly uid: string };
}

/** What the last plugin of a list says of a sandbox. */
export interface Result {
  readonly cniVersion: string;
  readonly ips: readonly { readonly address: string }[];
}

/** What is remembered of a sandbox from its ADD to its DEL. */
interface Attachment {
  readonly list: NetworkList;
  readonly sandbox: Sandbox;
  readonly ports: readonly object[];
  readonly result: Result;
}

export interface RuntimeParts {
  readonly host: Host;
  /** `network_dir`. */
  readonly networks: string;
  /** `plugin_dirs`: a plugin is that of the first folder that has one of its name. */
  readonly plugins: readonly string[];
}

/**
 * A runtime of pods as CRI-O is one. Its folders are those of crio.conf(5), table `crio.network`; which
 * plugins it calls when, and with what, is what the library `libcni` does for it
 * (github.com/containernetworking/cni, SPEC.md sections 2 and 4, `libcni/api.go`;
 * github.com/cri-o/ocicni, which says what CRI-O wants of that library):
 *
 *   start, and each change of a folder   VERSION of all plugins; a network that lacks one is none
 *   readiness                            STATUS of the default network, from version 1.1.0 on
 *   pod made                             ADD, first to last; the last result is remembered
 *   status of a pod                      CHECK with that, unless the list forbids it; it has the address
 *   pod removed                          DEL, last to first, with that and the list of that time
 *   collection                           DEL of what is remembered and gone, then GC, from 1.1.0 on
 */
export class LibcniRuntime {
  readonly #parts: RuntimeParts;
  readonly #attachments = new Map<string, Attachment>();

  constructor(parts: RuntimeParts) {
    this.#parts = parts;
  }

  /**
   * The network that pods get.
   *
   * @param name `cni_default_network`; empty: the first file by name whose network can be had
   */
  async defaultNetwork(name = ""): Promise<NetworkList | undefined> {
    const files = readdirSync(this.#parts.networks).filter((file) => file.endsWith(".conflist"));
    for (const file of files.sort()) {
      const text = readFileSync(join(this.#parts.networks, file), "utf8");
      const list: NetworkList = JSON.parse(text);
      if ((name === "" || list.name === name) && (await this.#isWhole(list))) return list;
    }
    return undefined;
  }

  async #isWhole({ plugins, cniVersion }: NetworkList): Promise<boolean> {
    for (const { type } of plugins) {
      if (this.#find(type) === undefined) return false;
      const { stdout } = await this.#call("VERSION", type, { cniVersion });
      if (!JSON.parse(stdout).supportedVersions.includes(cniVersion)) return false;
    }
    return true;
  }

  /** @param ports what the pod wants of its node, for plugins with the capability. */
  async add(list: NetworkList, sandbox: Sandbox, ports: readonly object[] = []): Promise<Result> {
    let prevResult: Result | undefined;
    for (const plugin of list.plugins) {
      const config = configOf(list, plugin, { prevResult, ports });
      prevResult = JSON.parse(await this.#must("ADD", plugin.type, config, sandbox));
    }
    const attachment = { list, sandbox, ports, result: prevResult! };
    this.#attachments.set(sandbox.id, attachment);
    return attachment.result;
  }

  /** What is remembered of a pod that is as it was made. */
  async check({ id }: Sandbox): Promise<Result> {
    const { list, sandbox, ports, result } = this.#attachments.get(id)!;
    for (const plugin of list.disableCheck === true ? [] : list.plugins) {
      const config = configOf(list, plugin, { prevResult: result, ports });
      await this.#must("CHECK", plugin.type, config, sandbox);
    }
    return result;
  }

  /** @param list for a sandbox of which nothing is remembered */
  async del(sandbox: Sandbox, list?: NetworkList): Promise<void> {
    const known = this.#attachments.get(sandbox.id);
    const own = known?.list ?? list!;
    for (const plugin of own.plugins.toReversed()) {
      const before = { prevResult: known?.result, ports: known?.ports ?? [] };
      await this.#must("DEL", plugin.type, configOf(own, plugin, before), sandbox);
    }
    this.#attachments.delete(sandbox.id);
  }

  /** As after the loss of what it remembers: another boot, an emptied cache. */
  forget({ id }: Sandbox): void {
    this.#attachments.delete(id);
  }

  async collect(list: NetworkList, valid: readonly Sandbox[]): Promise<void> {
    const kept = new Set(valid.map(({ id }) => id));
    for (const { list: own, sandbox } of this.#attachments.values()) {
      if (own.name === list.name && !kept.has(sandbox.id)) await this.del(sandbox);
    }
    if (!hasStatusAndGc(list)) return;
    const attachments = valid.map(({ id }) => ({ containerID: id, ifname: "eth0" }));
    for (const plugin of list.plugins) {
      const config = { ...configOf(list, plugin), "cni.dev/valid-attachments": attachments };
      await this.#must("GC", plugin.type, config);
    }
  }

  /** The code of the error that keeps it from being ready; 0 without one. */
  async status(list: NetworkList): Promise<number> {
    for (const plugin of hasStatusAndGc(list) ? list.plugins : []) {
      const { code, stdout } = await this.#call("STATUS", plugin.type, configOf(list, plugin));
      if (code !== 0) return JSON.parse(stdout).code;
    }
    return 0;
  }

  #find(type: string): string | undefined {
    return this.#parts.plugins.map((folder) => join(folder, type)).find((path) => existsSync(path));
  }

  /** One plugin, one command. What is not about a sandbox has its variables empty. */
  #call(command: string, type: string, config: object, sandbox?: Sandbox): Promise<Outcome> {
    const { host, plugins } = this.#parts;
    return host.exec([this.#find(type)!], {
      stdin: JSON.stringify(config),
      env: {
        ...host.env,
        CNI_COMMAND: command,
        CNI_CONTAINERID: sandbox?.id ?? "",
        CNI_NETNS: sandbox === undefined ? "" : `/run/netns/${sandbox.netns}`,
        CNI_IFNAME: sandbox === undefined ? "" : "eth0",
        CNI_ARGS: sandbox === undefined ? "" : argumentsOf(sandbox),
        CNI_PATH: plugins.join(":"),
      },
    });
  }

  /** @throws Error when it fails */
  async #must(command: string, type: string, config: object, sandbox?: Sandbox): Promise<string> {
    const { code, stdout, stderr } = await this.#call(command, type, config, sandbox);
    if (code === 0) return stdout;
    throw new Error(`${command} of ${type}: exit ${code}\n${stdout}${stderr}`);
  }
}

function argumentsOf({ id, pod: { namespace, name, uid } }: Sandbox): string {
  const names = [`K8S_POD_NAMESPACE=${namespace}`, `K8S_POD_NAME=${name}`];
  const ids = [`K8S_POD_INFRA_CONTAINER_ID=${id}`, `K8S_POD_UID=${uid}`];
  return ["IgnoreUnknown=1", ...names, ...ids].join(";");
}

/** What a plugin of a list gets on stdin. */
function configOf(
  { name, cniVersion }: NetworkList,
  plugin: PluginConfig,
  more: { readonly prevResult?: Result | undefined; readonly ports?: readonly object[] } = {},
): object {
  const { prevResult, ports = [] } = more;
  const wanted = plugin.capabilities?.portMappings === true && ports.length > 0;
  return {
    ...{ ...plugin, name, cniVersion },
    ...(prevResult !== undefined && { prevResult }),
    ...(wanted && { runtimeConfig: { portMappings: ports } }),
  };
}

function hasStatusAndGc({ cniVersion }: NetworkList): boolean {
  const [major = 0, minor = 0] = cniVersion.split(".").map(Number);
  return major > 1 || (major === 1 && minor >= 1);
}
