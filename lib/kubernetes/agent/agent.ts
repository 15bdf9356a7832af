import { metricsApp } from "../../api/app.ts";
import { type Listener, listen } from "../../api/listen.ts";
import type { Measurement } from "../../api/metrics/measurement.ts";
import type { Report } from "../../api/report.ts";
import { askedBy } from "../../daemon/events/asked-by.ts";
import type { Integration, IntegrationHost } from "../../daemon/integration.ts";
import type { AgentOptions } from "../../daemon/launch-options.ts";
import { policyMeasurements } from "../../daemon/metrics/policy-measurements.ts";
import type { KubernetesApi } from "../kubernetes-api.ts";
import { kubernetesError } from "../kubernetes-error.ts";
import { PeerListStore } from "../peer-list-store.ts";
import { register } from "../peer-registration.ts";
import { Reclaimer } from "../reclaimer.ts";
import { type AgentStatus, agentMeasurements, agentReport } from "./agent-report.ts";
import { ClusterWatches } from "./cluster-watches.ts";
import { ConditionKeeper } from "./condition-keeper.ts";
import { localRouterPort } from "./local-router-port.ts";
import type { NodeTools } from "./node-agent.ts";
import { rememberListed } from "./node-state.ts";
import { PeerFollower } from "./peer-follower.ts";
import { ClusterPolicySource } from "./policy-source.ts";
import { ownNode, peerCache } from "./prepare.ts";
import { TaskList } from "./task-list.ts";

export interface AgentParts {
  readonly options: AgentOptions;
  readonly api: KubernetesApi;
  readonly tools: NodeTools;
  readonly host: IntegrationHost;
}

/**
 * What a router does as the network of a node, besides what every router does:
 *
 *   follows nodes ────▶ connections to peers, ranges of removed ones, the condition of its own
 *   follows policies ─▶ the packet filter
 *   does once ────────▶ in the peers' list; address of the bridge ▸ CNI network, node condition
 *
 * Nothing of it keeps the router from starting, or ends it: what fails is tried again, and the node
 * is not ready meanwhile.
 */
export class Agent implements Integration {
  readonly #parts: AgentParts;
  readonly #watches: ClusterWatches;
  readonly #follower: PeerFollower;
  readonly #condition: ConditionKeeper;
  readonly #reclaimer: Reclaimer;
  readonly #list: PeerListStore;
  readonly #tasks: TaskList;
  #metrics: Listener | undefined;

  constructor(parts: AgentParts) {
    const { options, api, host } = parts;
    const { world, log, plane, paths, emit } = host;
    this.#parts = parts;
    this.#watches = new ClusterWatches(world, api, options);
    this.#list = new PeerListStore(world, api);
    const { nodes } = this.#watches;
    const router = localRouterPort(plane, log, emit);
    this.#follower = new PeerFollower({
      ...{ world, nodes, router },
      own: ownNode(world, options.nodeName),
      cache: peerCache(paths),
      others: options.otherPeers,
      connects: !options.peersGiven,
    });
    this.#condition = new ConditionKeeper({ world, api, nodes, nodeName: options.nodeName });
    this.#reclaimer = new Reclaimer({
      ...{ world, api, nodes, router },
      list: this.#list,
      self: this.#self,
      listed: (listUid) => rememberListed(host.settings, listUid),
    });
    this.#tasks = new TaskList(world, this.#oneTimeTasks());
  }

  get #self() {
    const { host, options } = this.#parts;
    return { peerName: host.plane.mesh.status().name, nodeName: options.nodeName };
  }

  start(): void {
    // Whatever comes of what it hears later is done for the cluster.
    askedBy({ kind: "kube" }, () => this.#begin());
  }

  #begin(): void {
    const { options, api, host } = this.#parts;
    if (options.policy) {
      const { nodeName } = options;
      host.services.policy.begin(
        new ClusterPolicySource({ nodeName, api, watches: this.#watches, emit: host.emit }),
      );
    }
    this.#watches.start();
    this.#tasks.start();
  }

  awaited(): string[] {
    const { options, host } = this.#parts;
    const { controller } = host.services.policy;
    const isWaiting =
      options.policy && (controller?.phase === "waiting" || controller?.phase === "failing");
    const why = controller?.trouble === undefined ? "" : `: ${controller.trouble.text}`;
    return [
      ...this.#tasks.awaited(),
      ...(isWaiting ? [`network policies are not enforced yet${why}`] : []),
    ];
  }

  report(): Partial<Report> {
    return { Kubernetes: agentReport(this.#status()) };
  }

  measurements(): Measurement[] {
    return agentMeasurements(this.#status());
  }

  #status(): AgentStatus {
    return {
      options: this.#parts.options,
      tasks: this.#tasks.status(),
      watches: this.#watches.status(),
      reclaim: this.#reclaimer.status(),
      awaited: this.awaited(),
      conflicts: this.#list.conflicts,
    };
  }

  async stop(): Promise<void> {
    this.#follower.stop();
    await this.#tasks.stop();
    await this.#condition.stop();
    await Promise.all([this.#metrics?.close(), this.#reclaimer.stop(), this.#watches.stop()]);
  }

  async finished(): Promise<void> {}

  end(): void {}

  #oneTimeTasks() {
    const { options, tools, host } = this.#parts;
    const { policyMetricsAddress } = options;
    const isMeasured = options.policy && policyMetricsAddress !== "";
    return [
      ...(isMeasured ? [this.#measureTask(policyMetricsAddress)] : []),
      {
        name: "listed",
        awaits: "the cluster does not list this node's peer",
        run: (signal: AbortSignal) => this.#enrol(signal),
      },
      {
        name: "exposed",
        awaits: "the bridge has no address",
        run: (signal: AbortSignal) => exposeBridge(options, host, signal),
      },
      {
        name: "cni",
        awaits: "container runtimes do not know the network",
        after: ["exposed"],
        run: async () => installNetwork(options, tools),
      },
      {
        name: "condition",
        awaits: "the node does not say that it has a network",
        after: ["exposed"],
        run: () => this.#condition.begin(),
      },
    ];
  }

  /** Beside the router's own, where monitoring of Weave Net 2.x looks for them. */
  #measureTask(address: string) {
    const { log, services } = this.#parts.host;
    return {
      name: "measured",
      awaits: "measurements of network policies cannot be had",
      run: async () => {
        const app = metricsApp({ measurements: () => policyMeasurements(services.policy) }, log);
        this.#metrics = listen(app, address, { isPublic: true });
      },
    };
  }

  /** From then on this peer may be taken for gone, and so may look after others that are. */
  async #enrol(signal: AbortSignal): Promise<void> {
    const { uid } = await register(this.#list, this.#self, signal);
    rememberListed(this.#parts.host.settings, uid);
    this.#reclaimer.start();
  }
}

/** @throws WeaveError `K8S_POD`, `CNI_…` */
function installNetwork(options: AgentOptions, tools: NodeTools): void {
  if (tools.networkFolder(options) === undefined) {
    throw kubernetesError(
      "K8S_POD",
      "the folder in which runtimes look for networks is not mounted",
      {
        remedy: "mount the node's /etc/cni/net.d as the manifest does",
      },
    );
  }
  tools.setUpCni(options, true);
}

/** Gives the bridge the address that pods have for their gateway. */
async function exposeBridge(
  { exposeAddress }: AgentOptions,
  { services: { exposures } }: IntegrationHost,
  signal: AbortSignal,
): Promise<void> {
  if (exposeAddress === undefined && exposures.cidrs().length > 0) return;
  const addresses = exposeAddress === undefined ? [] : [exposeAddress];
  await exposures.expose({ addresses, masquerade: true }, signal);
}
