import { fromHex } from "../../base/bytes.ts";
import { errorText, WeaveError } from "../../base/errors.ts";
import type { Log } from "../../base/world.ts";
import type { StoredEndpoint, StoredNetwork } from "../../daemon/settings-store.ts";
import type { EndpointPort, EndpointRequest } from "../../host/endpoint-port.ts";
import { tryParseMac } from "../../wire/ethernet.ts";
import {
  allocateNetworkSchema,
  type CreateEndpointRequest,
  type CreateNetworkRequest,
  createEndpointSchema,
  createNetworkSchema,
  endpointSchema,
  networkSchema,
  nothingSchema,
} from "./messages.ts";
import type { NetworkTable } from "./network-table.ts";
import { method, methodsOf, type PluginMethods } from "./plugin-method.ts";
import {
  guardedSubnet,
  type NetworkDefaults,
  networkFrom,
  noIpv6,
  remarksOn,
} from "./plugin-network.ts";

/** What Docker calls the interface in the container, with a number behind it. */
const containerInterface = "ethwe";
const multicastRoute = { Destination: "224.0.0.0/4", RouteType: 1 } as const;

/** Ends of cables, as the driver has them made. */
export interface EndpointPorts {
  /** @throws WeaveError `ENDPOINT_FAILED`, `BRIDGE_MISSING` */
  create(request: EndpointRequest): EndpointPort;
  /** False when there was none. */
  remove(id: string): boolean;
  /** Name of the end that Docker takes into the container. */
  farEnd(id: string): string;
}

export interface NetworkDriverOptions {
  /** `local`: of this host, with addresses of ours; `global`: of a swarm, with Docker's. */
  readonly scope: "local" | "global";
  readonly defaults: NetworkDefaults;
  readonly networks: NetworkTable;
  readonly ports: EndpointPorts;
  readonly log: Log;
  /**
   * A network that nobody has told of. May ask the engine, which waits for us meanwhile: never
   * called while a network is made.
   */
  lookup(id: string): Promise<StoredNetwork | undefined>;
  /** The endpoint is about to be taken into a container. */
  joining(endpoint: StoredEndpoint): void;
  /** It is in the container, or gone from it. */
  moved(): void;
  /** It is no more. */
  gone(endpoint: StoredEndpoint): void;
}

/** One of Docker's network drivers: endpoints of its networks as ports of our bridge. */
export function networkDriver(options: NetworkDriverOptions): PluginMethods {
  const driver = new NetworkDriver(options);
  const nothing = method(nothingSchema, () => ({}));
  return methodsOf("NetworkDriver", {
    GetCapabilities: method(nothingSchema, () => ({ Scope: options.scope })),
    AllocateNetwork: method(allocateNetworkSchema, ({ Options }) => ({ Options })),
    FreeNetwork: nothing,
    CreateNetwork: method(createNetworkSchema, (request) => driver.createNetwork(request)),
    DeleteNetwork: method(networkSchema, ({ NetworkID }) => {
      options.networks.remove(NetworkID);
      return {};
    }),
    CreateEndpoint: method(createEndpointSchema, (request) => driver.createEndpoint(request)),
    DeleteEndpoint: method(endpointSchema, ({ EndpointID }) => driver.deleteEndpoint(EndpointID)),
    EndpointOperInfo: method(endpointSchema, () => {
      options.moved();
      return { Value: {} };
    }),
    Join: method(endpointSchema, (request) => driver.join(request)),
    Leave: method(endpointSchema, () => {
      options.moved();
      return {};
    }),
    // Of swarms and of newer engines; there is nothing to do for us.
    DiscoverNew: nothing,
    DiscoverDelete: nothing,
    ProgramExternalConnectivity: nothing,
    RevokeExternalConnectivity: nothing,
  });
}

type EndpointWords = { readonly NetworkID: string; readonly EndpointID: string };

class NetworkDriver {
  readonly #options: NetworkDriverOptions;

  constructor(options: NetworkDriverOptions) {
    this.#options = options;
  }

  createNetwork(request: CreateNetworkRequest): object {
    const { defaults, networks, log } = this.#options;
    const network = networkFrom(request, defaults);
    for (const remark of remarksOn(request, network, defaults)) {
      log.warn(`[plugin] network ${shortId(network.id)}: ${remark}`);
    }
    networks.add(network);
    return {};
  }

  async createEndpoint(request: CreateEndpointRequest): Promise<object> {
    const { networks, ports, log } = this.#options;
    const { EndpointID: id, NetworkID, Interface: wanted } = request;
    if (wanted === undefined || wanted === null) {
      throw new WeaveError("PLUGIN_REQUEST", "an endpoint without interface is not supported");
    }
    if (wanted.AddressIPv6 !== "") throw noIpv6();
    const network = await this.#network(NetworkID);
    const mac = macOf(wanted.MacAddress);
    const within = guardedSubnet(network);
    const made = ports.create({
      id,
      ...(mac !== undefined && { mac }),
      ...(within !== undefined && { within }),
    });
    if (made.unguarded !== undefined) {
      log.warn(
        `[plugin] endpoint ${shortId(id)} of network ${shortId(NetworkID)} is not kept within ` +
          `${network.subnet}: ${made.unguarded}`,
      );
    }
    networks.addEndpoint({ id, network: network.id, address: wanted.Address });
    // Docker refuses to be told what it has asked for.
    return { Interface: mac === undefined ? { MacAddress: made.mac } : {} };
  }

  /** Docker has forgotten it by then, so nothing may keep it. */
  deleteEndpoint(id: string): object {
    const { networks, ports, log, gone } = this.#options;
    const endpoint = networks.removeEndpoint(id);
    try {
      ports.remove(id);
    } catch (error) {
      log.warn(`[plugin] endpoint ${shortId(id)} was not removed: ${errorText(error)}`);
    }
    if (endpoint !== undefined) gone(endpoint);
    return {};
  }

  async join({ NetworkID, EndpointID: id }: EndpointWords): Promise<object> {
    const { networks, ports, joining } = this.#options;
    const network = await this.#network(NetworkID);
    const endpoint = networks.endpoint(id);
    if (endpoint !== undefined) joining(endpoint);
    return {
      InterfaceName: { SrcName: ports.farEnd(id), DstPrefix: containerInterface },
      ...(network.multicast && { StaticRoutes: [multicastRoute] }),
    };
  }

  /** One that was not told of is asked about once, and then known. */
  async #network(id: string): Promise<StoredNetwork> {
    const { networks, lookup } = this.#options;
    const known = networks.get(id);
    if (known !== undefined) return known;
    const found = await lookup(id);
    if (found === undefined) {
      throw new WeaveError("PLUGIN_NETWORK", `network ${shortId(id)} is not one of weave`, {
        remedy: "remove the network and create it anew",
      });
    }
    networks.add(found);
    return found;
  }
}

/** Undefined for none. @throws WeaveError `PLUGIN_MAC` */
function macOf(text: string): Uint8Array | undefined {
  if (text === "") return undefined;
  if (tryParseMac(text) !== undefined) return fromHex(text.replaceAll(":", ""));
  throw new WeaveError("PLUGIN_MAC", `"${text}" is no MAC address`, {
    remedy: "write six octets in hex, with colons",
  });
}

/** As people see ids of Docker. */
export function shortId(id: string): string {
  return id.slice(0, 12);
}
