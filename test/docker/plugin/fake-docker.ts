import { parseIpv4Cidr } from "../../../lib/base/ip.ts";
import { silentLog } from "../../../lib/base/world.ts";
import type { StoredEndpoint, StoredNetwork } from "../../../lib/daemon/settings-store.ts";
import { ipamDriver } from "../../../lib/docker/plugin/ipam-driver.ts";
import { networkDriver } from "../../../lib/docker/plugin/network-driver.ts";
import { type NetworkStore, NetworkTable } from "../../../lib/docker/plugin/network-table.ts";
import type { PluginAddresses } from "../../../lib/docker/plugin/plugin-addresses.ts";
import type { PluginMethods } from "../../../lib/docker/plugin/plugin-method.ts";
import type { EndpointRequest } from "../../../lib/host/endpoint-port.ts";

/** A store in memory, which outlives the tables that are made from it. */
export class MemoryStore implements NetworkStore {
  readonly #networks = new Map<string, StoredNetwork>();
  readonly #endpoints = new Map<string, StoredEndpoint>();

  networks = (): StoredNetwork[] => [...this.#networks.values()];
  saveNetwork = (network: StoredNetwork): void => void this.#networks.set(network.id, network);
  removeNetwork = (id: string): void => void this.#networks.delete(id);
  endpoints = (): StoredEndpoint[] => [...this.#endpoints.values()];
  saveEndpoint = (endpoint: StoredEndpoint): void =>
    void this.#endpoints.set(endpoint.id, endpoint);
  removeEndpoint = (id: string): void => void this.#endpoints.delete(id);
}

/** Addresses one after the other, whoever asks. */
class CountedAddresses implements PluginAddresses {
  readonly defaultSubnet = parseIpv4Cidr("10.32.0.0/12");
  readonly held = new Set<number>();

  async allocate({ address: start, prefix }: { address: number; prefix: number }) {
    let address = start + 1;
    while (this.held.has(address)) address++;
    this.held.add(address);
    return { address, prefix };
  }

  async claim({ address }: { address: number }) {
    this.held.add(address);
  }

  release(address: number): void {
    this.held.delete(address);
  }
}

/** Both halves of the driver `weavemesh` over pretended interfaces, and a router that may restart. */
export class FakeDocker {
  readonly store = new MemoryStore();
  readonly addresses = new CountedAddresses();
  /** Ends that stand, by endpoint. */
  readonly ports = new Map<string, EndpointRequest>();
  /** Networks that the engine would tell of, if it was asked. */
  readonly known = new Map<string, StoredNetwork>();
  /** What happened to endpoints, in order. */
  readonly deeds: string[] = [];
  networks = new NetworkTable(this.store);
  /** Why ends of cables cannot be removed. */
  failure: Error | undefined;

  /** The methods as a router has them that was started just now. */
  restart(): PluginMethods {
    this.networks = new NetworkTable(this.store);
    const { networks, addresses, ports, deeds } = this;
    return {
      ...networkDriver({
        scope: "local",
        networks,
        defaults: {
          ...{ driver: "weavemesh", multicast: false, defaultSubnet: addresses.defaultSubnet },
        },
        log: silentLog,
        ports: {
          create(request) {
            ports.set(request.id, request);
            return { farEnd: `vethwg${request.id.slice(0, 9)}`, mac: "8a:00:00:00:00:01" };
          },
          remove: (id) => {
            if (this.failure !== undefined) throw this.failure;
            return ports.delete(id);
          },
          farEnd: (id) => `vethwg${id.slice(0, 9)}`,
        },
        lookup: async (id) => this.known.get(id),
        joining: ({ id }) => deeds.push(`join ${id}`),
        moved: () => deeds.push("moved"),
        gone: ({ id, address }) => deeds.push(`gone ${id} ${address}`),
      }),
      ...ipamDriver({
        addresses,
        isInUse: (address) => networks.endpointsAt(address).some(({ id }) => ports.has(id)),
      }),
    };
  }
}

/** Asks one method, as Docker would. */
export function ask(
  methods: PluginMethods,
  name: string,
  request: unknown = {},
): Promise<Record<string, unknown>> {
  const act = methods[name];
  if (act === undefined) throw new Error(`there is no ${name}`);
  return act(request, new AbortController().signal) as Promise<Record<string, unknown>>;
}
