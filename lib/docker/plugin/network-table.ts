import { formatIpv4, type Ipv4 } from "../../base/ip.ts";
import type { SettingsStore, StoredEndpoint, StoredNetwork } from "../../daemon/settings-store.ts";

/** Where the table outlives the router. */
export type NetworkStore = Pick<
  SettingsStore,
  "networks" | "saveNetwork" | "removeNetwork" | "endpoints" | "saveEndpoint" | "removeEndpoint"
>;

/** How many of each are kept at most; Docker makes one network for every `docker network create`. */
const networksMax = 10_000;
const endpointsMax = 65_536;

/**
 * The networks of Docker that are ours, and who is connected to them on this host. Every change is
 * in the store before it counts, so that a router that is started again knows them without asking.
 */
export class NetworkTable {
  readonly #store: NetworkStore;
  readonly #networks: Map<string, StoredNetwork>;
  readonly #endpoints: Map<string, StoredEndpoint>;

  /** Begins with what the last run left in the store. */
  constructor(store: NetworkStore) {
    this.#store = store;
    this.#networks = new Map(store.networks().map((each) => [each.id, each]));
    this.#endpoints = new Map(store.endpoints().map((each) => [each.id, each]));
  }

  get(id: string): StoredNetwork | undefined {
    return this.#networks.get(id);
  }

  networks(): StoredNetwork[] {
    return [...this.#networks.values()];
  }

  endpoint(id: string): StoredEndpoint | undefined {
    return this.#endpoints.get(id);
  }

  endpoints(): StoredEndpoint[] {
    return [...this.#endpoints.values()];
  }

  add(network: StoredNetwork): void {
    if (this.#networks.size >= networksMax) this.remove(first(this.#networks));
    this.#store.saveNetwork(network);
    this.#networks.set(network.id, network);
  }

  /** Its endpoints went before it; those that did not go with it. */
  remove(id: string): void {
    for (const endpoint of this.endpoints()) {
      if (endpoint.network === id) this.removeEndpoint(endpoint.id);
    }
    if (this.#networks.delete(id)) this.#store.removeNetwork(id);
  }

  addEndpoint(endpoint: StoredEndpoint): void {
    if (this.#endpoints.size >= endpointsMax) this.removeEndpoint(first(this.#endpoints));
    this.#store.saveEndpoint(endpoint);
    this.#endpoints.set(endpoint.id, endpoint);
  }

  removeEndpoint(id: string): StoredEndpoint | undefined {
    const endpoint = this.#endpoints.get(id);
    if (endpoint === undefined) return undefined;
    this.#endpoints.delete(id);
    this.#store.removeEndpoint(id);
    return endpoint;
  }

  /** Endpoints with this address; more than one where networks have the same subnet. */
  endpointsAt(address: Ipv4): StoredEndpoint[] {
    const start = `${formatIpv4(address)}/`;
    return this.endpoints().filter((endpoint) => endpoint.address.startsWith(start));
  }
}

/** The oldest of a table that has one. */
function first(table: ReadonlyMap<string, unknown>): string {
  const [key = ""] = table.keys();
  return key;
}
