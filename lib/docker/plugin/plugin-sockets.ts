import { basename } from "node:path";
import type { Ipv4 } from "../../base/ip.ts";
import { parseCidr } from "../../base/ip.ts";
import type { IntegrationHost } from "../../daemon/integration.ts";
import type { LaunchOptions } from "../../daemon/launch-options.ts";
import type { StoredEndpoint, StoredNetwork } from "../../daemon/settings-store.ts";
import { endpointEnds } from "../../host/device-names.ts";
import {
  announceEndpoint,
  createEndpointPort,
  endpointPorts,
  removeEndpointPort,
} from "../../host/endpoint-port.ts";
import type { DockerEngine } from "../engine.ts";
import { releaseEndpoint } from "./endpoint-care.ts";
import { ipamDriver, localAddressSpace } from "./ipam-driver.ts";
import { type EndpointPorts, networkDriver } from "./network-driver.ts";
import type { NetworkTable } from "./network-table.ts";
import type { PluginAddresses } from "./plugin-addresses.ts";
import type { PluginMethods } from "./plugin-method.ts";
import { describeNetwork, type NetworkDefaults } from "./plugin-network.ts";

/** An engine has taken an endpoint's end into its container by then. */
const movedDelayMs = 500;

/** Whoever follows containers has heard of one that was started by then. */
const toldDelayMs = 3000;

export interface SocketParts {
  readonly host: IntegrationHost;
  readonly plugin: NonNullable<LaunchOptions["plugin"]>;
  /** Missing for a plugin that Docker itself keeps, which must not ask it anything. */
  readonly engine: Pick<DockerEngine, "network"> | undefined;
  readonly networks: NetworkTable;
  /** Missing when the router allocates no addresses. */
  readonly addresses: PluginAddresses | undefined;
  /** Told of endpoints as they come and go. */
  readonly observer: {
    /** It has been in a container for a while. */
    find(endpoint: StoredEndpoint): Promise<void>;
    gone(endpoint: StoredEndpoint): void;
  };
}

/** A socket for Docker, and what is answered there. */
export interface PluginSocket {
  readonly path: string;
  /** `NetworkDriver`, `IpamDriver`. */
  readonly implemented: readonly string[];
  readonly methods: PluginMethods;
}

/** What Docker calls the driver behind a socket. */
export function driverName(socket: string): string {
  return basename(socket, ".sock");
}

/** Those that the options ask for. */
export function pluginSockets(parts: SocketParts): PluginSocket[] {
  const { socket, meshSocket, managed, multicast } = parts.plugin;
  const made = new SocketMaker(parts);
  return [
    ...(socket === "" ? [] : [made.ofSwarms(socket, managed && multicast)]),
    ...(meshSocket === "" ? [] : [made.ofThisHost(meshSocket)]),
  ];
}

class SocketMaker {
  readonly #parts: SocketParts;
  readonly #ports: EndpointPorts;

  constructor(parts: SocketParts) {
    const { bridge } = parts.host.devices;
    this.#parts = parts;
    this.#ports = {
      create: (request) => createEndpointPort(bridge, request),
      remove: removeEndpointPort,
      farEnd: (id) => endpointEnds(id).far,
    };
  }

  /** Its addresses are Docker's; ours only notes on a restart which are in use. */
  ofSwarms(path: string, multicast: boolean): PluginSocket {
    const implemented = ["NetworkDriver"];
    const gone = (endpoint: StoredEndpoint) => releaseEndpoint(endpoint, this.#parts.addresses);
    return { path, implemented, methods: this.#driver(path, { scope: "global", multicast, gone }) };
  }

  ofThisHost(path: string): PluginSocket {
    const { addresses } = this.#parts;
    const methods = {
      ...this.#driver(path, { scope: "local", multicast: false, gone: () => {} }),
      ...ipamDriver({ addresses, isInUse: (address) => this.#isInUse(address) }),
    };
    return { path, implemented: ["NetworkDriver", "IpamDriver"], methods };
  }

  #driver(
    path: string,
    how: {
      readonly scope: "local" | "global";
      readonly multicast: boolean;
      gone(endpoint: StoredEndpoint): void;
    },
  ): PluginMethods {
    const { host, networks, addresses, observer } = this.#parts;
    const moved = () => host.services.containersChanged();
    const defaults = {
      driver: driverName(path),
      multicast: how.multicast,
      defaultSubnet: addresses?.defaultSubnet,
      ...(how.scope === "local" && { addressSpace: localAddressSpace }),
    };
    return networkDriver({
      ...{ networks, defaults, moved, scope: how.scope, ports: this.#ports, log: host.log },
      lookup: (id) => this.#lookup(id, defaults),
      joining: (endpoint) => {
        host.services.policy.joining();
        if (endpoint.address !== "") {
          announceEndpoint(host.devices.bridge, endpoint.id, parseCidr(endpoint.address));
        }
        host.world.after(movedDelayMs, moved);
        host.world.after(toldDelayMs, () => void observer.find(endpoint));
      },
      gone: (endpoint) => {
        observer.gone(endpoint);
        how.gone(endpoint);
        moved();
      },
    });
  }

  /** To a plugin that Docker keeps, Docker speaks of networks of that plugin alone. */
  async #lookup(id: string, defaults: NetworkDefaults): Promise<StoredNetwork | undefined> {
    const { engine } = this.#parts;
    if (engine === undefined) return describeNetwork(id, { options: [], subnets: [] }, defaults);
    const found = await engine.network(id);
    if (found?.driver !== defaults.driver) return undefined;
    const { options, subnets } = found;
    return describeNetwork(id, { options: Object.entries(options), subnets }, defaults);
  }

  /** An engine that died has left endpoints in the table, but their ends went with containers. */
  #isInUse(address: Ipv4): boolean {
    const holders = this.#parts.networks.endpointsAt(address);
    if (holders.length === 0) return false;
    const standing = endpointPorts();
    return holders.some(({ id }) => standing.has(endpointEnds(id).near));
  }
}
