import type { PluginNetworkReport, PluginReport } from "../../api/docker-report.ts";
import type { Listener } from "../../api/listen.ts";
import { orNull } from "../../api/make-router-report.ts";
import { measured, type Sample } from "../../api/metrics/measurement.ts";
import type { PluginControl } from "../../api/router-control.ts";
import { everyBeat } from "../../base/beat.ts";
import { errorText } from "../../base/errors.ts";
import { formatIpv4Cidr } from "../../base/ip.ts";
import type { Cancel } from "../../base/world.ts";
import type { IntegrationHost } from "../../daemon/integration.ts";
import type { LaunchOptions } from "../../daemon/launch-options.ts";
import { notePluginSockets } from "../../daemon/plugin-sockets.ts";
import type { DockerEngine } from "../engine.ts";
import type { EngineContainer, ListedEngineContainer } from "../engine-models.ts";
import type { EngineObserver } from "../engine-observer.ts";
import { ContainerNames } from "./container-names.ts";
import { DefaultNetwork, defaultNetworkName } from "./default-network.ts";
import { forgetStaleEndpoints, mendGuards } from "./endpoint-care.ts";
import { NetworkTable } from "./network-table.ts";
import { AllocatorAddresses } from "./plugin-addresses.ts";
import { servePlugin } from "./plugin-server.ts";
import { driverName, pluginSockets } from "./plugin-sockets.ts";

/** How often it is looked whether networks are still kept apart. */
const guardLookMs = 30_000;

/** How long a launch waits for an engine that takes the call and says nothing. */
const engineWaitMs = 5000;

export interface PluginServiceOptions {
  readonly host: IntegrationHost;
  readonly plugin: NonNullable<LaunchOptions["plugin"]>;
  /** Missing for a plugin that Docker itself keeps, which must not ask it anything. */
  readonly engine: DockerEngine | undefined;
}

/**
 * The router as Docker's plugin:
 *
 *   weave.sock       driver of networks of a swarm, whose addresses Docker chooses
 *   weavemesh.sock   driver of networks of this host, and of addresses from our allocator
 *
 * The sockets are there when they were asked for, when Docker has networks of ours from before, and
 * else from when an engine first answers.
 */
export class PluginService implements EngineObserver, PluginControl {
  readonly #options: PluginServiceOptions;
  readonly #networks: NetworkTable;
  readonly #addresses: AllocatorAddresses | undefined;
  readonly #names: ContainerNames;
  readonly #default: DefaultNetwork | undefined;
  readonly #listeners: Listener[] = [];
  /** Why the sockets could not be opened. */
  #trouble: string | undefined;
  /** Why some networks are open that should not be. */
  #openTrouble: string | undefined;
  #isRetired = false;
  #stopLooking: Cancel = () => {};

  constructor(options: PluginServiceOptions) {
    const { host, plugin, engine } = options;
    const { log, plane, services, settings } = host;
    this.#options = options;
    this.#networks = new NetworkTable(settings);
    this.#addresses = plane.ipam && new AllocatorAddresses(plane.ipam);
    this.#names = new ContainerNames({
      ...{ engine, networks: this.#networks, names: services.names, log },
      moved: () => services.containersChanged(),
      joined: (endpoint, container) => services.policy.joined(endpoint, container),
    });
    if (engine === undefined || plane.ipam === undefined || plugin.meshSocket === "") return;
    const { defaultSubnet: subnet } = plane.ipam;
    const driver = driverName(plugin.meshSocket);
    this.#default = new DefaultNetwork({ engine, log, driver, subnet });
  }

  /**
   * Opens the sockets if it is time, and makes the default network where an engine answers.
   *
   * @throws WeaveError `PLUGIN_LISTEN` when the plugin was asked for in so many words
   */
  async begin(): Promise<void> {
    const { world, log } = this.#options.host;
    forgetStaleEndpoints(this.#networks, this.#addresses);
    if (this.#options.plugin.asked || this.#networks.networks().length > 0) this.#open();
    this.#stopLooking = everyBeat(world, guardLookMs, () => {
      this.#openTrouble = mendGuards(this.#networks, log);
    });
    const late = Promise.withResolvers<boolean>();
    const timer = setTimeout(() => late.resolve(false), engineWaitMs);
    const answers = await Promise.race([this.#engineAnswers(), late.promise]);
    clearTimeout(timer);
    if (!answers) return;
    this.#open();
    // Docker would look for the driver of a network that nobody answers for.
    if (this.#listeners.length > 0) await this.#default?.ensure();
  }

  connected(all: readonly ListedEngineContainer[]): void {
    this.#names.connected(all);
    this.#open();
    this.#default?.doubt();
    this.#ensureDefault();
  }

  swept(all: readonly ListedEngineContainer[]): void {
    this.#names.swept(all);
    this.#ensureDefault();
  }

  started(container: EngineContainer): void {
    this.#names.started(container);
  }

  died(id: string): void {
    this.#names.died(id);
  }

  async retire(): ReturnType<PluginControl["retire"]> {
    this.#isRetired = true;
    // Without sockets no engine has heard of us, and there may be none.
    const containers = this.#listeners.length === 0 ? [] : await this.#default?.remove();
    return { network: defaultNetworkName, containers: containers ?? [] };
  }

  /** Missing while nobody could have asked anything of the plugin. */
  report(): PluginReport | undefined {
    if (this.#listeners.length === 0 && this.#trouble === undefined) return undefined;
    const { socket, meshSocket, managed, multicast } = this.#options.plugin;
    const troubles = [this.#trouble, this.#openTrouble, this.#default?.trouble];
    const problems = troubles.filter((each) => each !== undefined);
    const subnet = this.#addresses?.defaultSubnet;
    return {
      Config: {
        ...{ Socket: socket, MeshSocket: meshSocket },
        ...{ Enable: !managed, EnableV2: managed, EnableV2Multicast: multicast },
        DNS: this.#options.host.services.names !== undefined,
        DefaultSubnet: subnet === undefined ? "" : formatIpv4Cidr(subnet),
        ProcPath: "/proc",
      },
      DriverName: driverName(socket),
      ...(meshSocket !== "" && { MeshDriverName: driverName(meshSocket) }),
      Networks: orNull(this.#networkReports()),
      ...(problems.length > 0 && { Problems: problems }),
    };
  }

  measurements(): Sample[] {
    if (this.#listeners.length === 0) return [];
    const networks = this.#networks.networks().length;
    const endpoints = this.#networks.endpoints().length;
    return [
      measured("weave_plugin_networks", networks),
      measured("weave_plugin_endpoints", endpoints),
    ];
  }

  /** Leaves no socket behind: an engine that starts would wait for an answer from it. */
  async stop(): Promise<void> {
    this.#stopLooking();
    await this.#close();
  }

  async #close(): Promise<void> {
    await Promise.all(this.#listeners.splice(0).map((listener) => listener.close()));
  }

  #open(): void {
    if (this.#listeners.length > 0) return;
    const { host, plugin, engine } = this.#options;
    const [networks, addresses] = [this.#networks, this.#addresses];
    try {
      const observer = this.#names;
      const sockets = pluginSockets({ host, plugin, engine, networks, addresses, observer });
      notePluginSockets(
        host.settings,
        sockets.map(({ path }) => path),
      );
      const surroundings = { log: host.log, tracer: host.tracing.tracer };
      for (const { path, implemented, methods } of sockets) {
        this.#listeners.push(servePlugin(path, implemented, methods, surroundings));
        host.log.info(`[plugin] serving Docker at ${path}`);
      }
      this.#trouble = undefined;
    } catch (error) {
      void this.#close();
      if (plugin.asked) throw error;
      this.#trouble = errorText(error);
      host.log.warn(`[plugin] ${this.#trouble}`);
    }
  }

  #ensureDefault(): void {
    if (!this.#isRetired && this.#listeners.length > 0) void this.#default?.ensure();
  }

  async #engineAnswers(): Promise<boolean> {
    const { engine, host } = this.#options;
    if (engine === undefined) return false;
    try {
      await engine.network(defaultNetworkName);
      return true;
    } catch (error) {
      host.log.debug(`[plugin] ${errorText(error)}`);
      return false;
    }
  }

  #networkReports(): PluginNetworkReport[] {
    const endpoints = this.#networks.endpoints();
    return this.#networks.networks().map(({ id, driver, subnet, multicast, isolated }) => ({
      ...{ ID: id, Driver: driver, Subnet: subnet, Multicast: multicast, Isolated: isolated },
      Endpoints: endpoints.filter(({ network }) => network === id).length,
    }));
  }
}
