import { existsSync, readFileSync } from "node:fs";
import type { World } from "../../base/world.ts";
import type { AgentOptions } from "../../daemon/launch-options.ts";
import type { Paths } from "../../daemon/paths.ts";
import { namedNamespaceFolder } from "../../host/netns.ts";
import { clusterClient } from "../cluster-client.ts";
import type { KubernetesApi } from "../kubernetes-api.ts";
import type { AgentFacts, AgentSettings, Environment } from "./agent-settings.ts";
import { ClusterDesk } from "./cluster-desk.ts";
import { liftMemoryLimit, loadModules, openKernelSettings } from "./initialise.ts";
import { seesLaterNamespaces } from "./namespace-mounts.ts";
import { storedPeerName } from "./node-state.ts";
import { peerCache, prepareAgent } from "./prepare.ts";

/** What the agent has others do on its host. */
export interface NodeTools {
  /** Puts the CNI plugins where container runtimes find them, and on demand their network. */
  setUpCni(
    node: Pick<AgentOptions, "hostRoot" | "pluginFolder" | "hairpin">,
    network: boolean,
  ): void;
  /** Where that network goes; `undefined` when there is no such folder. */
  networkFolder(node: Pick<AgentOptions, "hostRoot">): string | undefined;
}

/** This host as a node of a cluster, seen from the command line. */
export class NodeAgent {
  readonly settings: AgentSettings;
  readonly #environment: Environment;
  readonly #paths: Paths;
  readonly #world: World;
  readonly #tools: NodeTools;
  #api: KubernetesApi | undefined;

  constructor(parts: {
    readonly settings: AgentSettings;
    readonly environment: Environment;
    readonly paths: Paths;
    readonly world: World;
    readonly tools: NodeTools;
  }) {
    this.settings = parts.settings;
    this.#environment = parts.environment;
    this.#paths = parts.paths;
    this.#world = parts.world;
    this.#tools = parts.tools;
  }

  /** @throws WeaveError `K8S_CONFIG` */
  get api(): KubernetesApi {
    this.#api ??= clusterClient(this.settings.kubeconfig, this.#environment);
    return this.#api;
  }

  /** @throws WeaveError `K8S_CONFIG` */
  get desk(): ClusterDesk {
    return new ClusterDesk(this.#world, this.api, this.settings.nodeName);
  }

  /**
   * Makes the host ready before anything runs there: modules of the kernel, and the program of the
   * plugins. A sentence for each thing that cannot be had.
   *
   * @param network whether the plugins' network is installed as well, before there is a router: for
   *   pods of Weave Net 2.x, in which the router's container cannot do it
   * @throws WeaveError `K8S_POD`, `CNI_…`
   */
  initialise({ network }: { readonly network: boolean }): readonly string[] {
    openKernelSettings(this.settings);
    const missing = loadModules(this.settings);
    this.#tools.setUpCni(this.settings, network);
    return missing;
  }

  /** As `prepareAgent`. */
  async prepare(signal: AbortSignal): Promise<AgentFacts> {
    openKernelSettings(this.settings);
    liftMemoryLimit();
    if (!this.settings.isInitialised) {
      for (const sentence of this.initialise({ network: false })) this.#world.log.warn(sentence);
    }
    if (existsSync(this.settings.hostRoot)) this.#lookForNamespaces();
    return prepareAgent(
      this.settings,
      { world: this.#world, paths: this.#paths, api: this.api },
      signal,
    );
  }

  /** Said and no more: a runtime may keep its namespaces somewhere else. */
  #lookForNamespaces(): void {
    if (seesLaterNamespaces(readFileSync("/proc/self/mountinfo", "utf8"))) return;
    this.#world.log.warn(
      `pods that come from now on may have no network: their namespaces below ${namedNamespaceFolder} ` +
        "cannot be seen here; mount that folder of the node with mountPropagation HostToContainer",
    );
  }

  /** Has the cluster forget that this host has a network and a peer. @throws WeaveError `K8S_…` */
  async sayGoodbye(): Promise<void> {
    openKernelSettings(this.settings);
    const { desk } = this;
    const peerName = storedPeerName(this.#paths);
    await desk.withdrawCondition();
    if (peerName !== undefined) await desk.strike(peerName);
  }

  /** Removes what a router has not made, and its reset therefore leaves. @throws Error of the file system */
  forget(): void {
    peerCache(this.#paths).remove();
  }

  /** What the router of this node is told about it. @param otherPeers that are none of its nodes */
  options(otherPeers: readonly string[]): AgentOptions {
    const { nodeName, kubeconfig, peers, policy, policyMetricsAddress } = this.settings;
    const { exposeAddress, hostRoot, pluginFolder, hairpin } = this.settings;
    return {
      ...{ nodeName, kubeconfig, policy, policyMetricsAddress },
      ...{ exposeAddress, hostRoot, pluginFolder, hairpin },
      peersGiven: peers !== undefined,
      otherPeers: [...otherPeers],
    };
  }
}
