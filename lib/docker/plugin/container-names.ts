import { errorText } from "../../base/errors.ts";
import { parseCidr, parseIp } from "../../base/ip.ts";
import type { Log } from "../../base/world.ts";
import type { NameService } from "../../daemon/name-service.ts";
import type { StoredEndpoint } from "../../daemon/settings-store.ts";
import { labelEndpointPort } from "../../host/endpoint-port.ts";
import { announceAddresses } from "../../host/gratuitous-arp.ts";
import { listLinks } from "../../host/netlink/link.ts";
import { openRoute } from "../../host/netlink/open.ts";
import { NetworkNamespace } from "../../host/netns.ts";
import { checkNeighboursOften } from "../../host/sysctl.ts";
import type { DockerEngine } from "../engine.ts";
import type { EngineAttachment, EngineContainer, ListedEngineContainer } from "../engine-models.ts";
import type { EngineObserver } from "../engine-observer.ts";
import { ContainerRenames, type Renamed } from "./container-renames.ts";
import type { NetworkTable } from "./network-table.ts";

/** As the engine names the interfaces of our networks: `ethwe0`, `ethwe1`, … */
const interfacePrefix = "ethwe";

/** A name for an address, as a container of our networks has them. */
export interface ContainerName {
  readonly fqdn: string;
  readonly address: string;
}

/**
 * What a container is called in the cluster's domain: its host name with its domain, its own name,
 * and its aliases in each network of ours, but for its short id.
 *
 * @param domain with final dot
 */
export function containerNames(
  {
    id,
    hostname,
    domainname,
    name,
  }: Pick<EngineContainer, "id" | "hostname" | "domainname" | "name">,
  attachments: readonly Pick<EngineAttachment, "ip" | "aliases">[],
  domain: string,
): ContainerName[] {
  const suffix = domain.replace(/\.$/, "");
  const full = domainname === "" ? hostname : `${hostname}.${domainname}`;
  const isOwn = full.toLowerCase().endsWith(`.${suffix.toLowerCase()}`);
  return attachments.flatMap(({ ip, aliases }) => {
    const short = [name, ...aliases].filter((each) => each !== "" && !id.startsWith(each));
    const names = new Set([...(isOwn ? [full] : []), ...short.map((each) => `${each}.${suffix}`)]);
    return [...names].map((fqdn) => ({ fqdn, address: ip }));
  });
}

export interface ContainerNamesOptions {
  readonly engine: Pick<DockerEngine, "network" | "inspect"> | undefined;
  readonly networks: NetworkTable;
  /** Missing when DNS is off. */
  readonly names: NameService | undefined;
  readonly log: Log;
  /** Called when a container is at its place. */
  moved(): void;
  /** Called when it is known whose an endpoint is. */
  joined(endpoint: string, container: Pick<EngineContainer, "name" | "labels">): void;
}

/** Gives containers of our networks their names, and makes them notice when others move. */
export class ContainerNames implements EngineObserver {
  readonly #options: ContainerNamesOptions;
  /** Whose endpoints are, as far as that is known. */
  readonly #owners = new Map<string, string>();
  readonly #renames = new ContainerRenames();

  constructor(options: ContainerNamesOptions) {
    this.#options = options;
  }

  started(container: EngineContainer): void {
    this.#renames.started(container);
    const { moved } = this.#options;
    const ours = this.#ours(container);
    if (ours.length === 0) return;
    this.#register(container, ours);
    try {
      for (const at of ours) this.#label(container, at);
      settleInterfaces(container.pid, ours);
    } catch (error) {
      // It may have ended by now, with all that was to be done in it.
      this.#options.log.debug(`[plugin] container ${container.id}: ${errorText(error)}`);
    }
    moved();
  }

  /**
   * Finds out whose an endpoint is when nobody has told for a while: an engine connects containers
   * that run, and says nothing of it to those who follow containers.
   */
  async find({ id, network }: StoredEndpoint): Promise<void> {
    const { engine, networks, log } = this.#options;
    if (engine === undefined || this.#owners.has(id) || networks.endpoint(id) === undefined) return;
    try {
      const found = await engine.network(network);
      const settled = new Set(
        networks
          .endpoints()
          .flatMap((each) => (each.network === network ? (this.#owners.get(each.id) ?? []) : [])),
      );
      for (const each of found?.containers ?? []) {
        const container = settled.has(each.id) ? undefined : await engine.inspect(each.id);
        if (container?.running === true) this.started(container);
      }
    } catch (error) {
      log.debug(`[plugin] whose endpoint ${id} is was not told: ${errorText(error)}`);
    }
  }

  /** An endpoint is no more: the container may live on without it. */
  gone({ id, address }: StoredEndpoint): void {
    const ident = this.#owners.get(id);
    this.#owners.delete(id);
    if (ident === undefined || address === "") return;
    this.#options.names?.remove({ ident, address: parseCidr(address).address });
  }

  died(id: string): void {
    this.#options.names?.remove({ ident: id });
    this.#options.moved();
  }

  connected(all: readonly ListedEngineContainer[]): void {
    for (const renamed of this.#renames.listed(all)) void this.#rename(renamed);
  }

  swept(all: readonly ListedEngineContainer[]): void {
    this.connected(all);
  }

  /** It takes the names that it has now, as at a start. */
  async #rename({ id, before }: Renamed): Promise<void> {
    const { engine, names, log } = this.#options;
    try {
      const container = await engine?.inspect(id);
      if (container?.running !== true) return;
      // What was attached by the proxy keeps its host name, and is found by that.
      for (const { ip } of this.#ours(container)) {
        const fqdn = `${before}.${names?.domain ?? ""}`;
        names?.remove({ fqdn, ident: id, address: parseIp(ip) });
      }
      this.started(container);
    } catch (error) {
      log.debug(`[plugin] container ${id} was renamed: ${errorText(error)}`);
    }
  }

  /** Its places in our networks. */
  #ours({ networks }: EngineContainer): EngineAttachment[] {
    const table = this.#options.networks;
    return networks.filter(({ networkId, ip }) => ip !== "" && table.get(networkId) !== undefined);
  }

  #register(container: EngineContainer, ours: readonly EngineAttachment[]): void {
    const { names, log } = this.#options;
    if (names === undefined) return;
    for (const { fqdn, address } of containerNames(container, ours, names.domain)) {
      try {
        names.add(fqdn, container.id, parseIp(address));
      } catch (error) {
        log.warn(`[plugin] container ${container.id}: no name ${fqdn}: ${errorText(error)}`);
      }
    }
  }

  /** `weave ps` and everything else that lists the bridge then knows whose the port is. */
  #label(container: EngineContainer, { networkId, ip }: EngineAttachment): void {
    const { id } = container;
    const endpoint = this.#options.networks
      .endpoints()
      .find(({ network, address }) => network === networkId && address.startsWith(`${ip}/`));
    if (endpoint === undefined) return;
    this.#owners.set(endpoint.id, id);
    this.#options.joined(endpoint.id, container);
    labelEndpointPort(endpoint.id, id);
  }
}

/** In the container: ask often where neighbours are, and tell them where this one is. */
function settleInterfaces(pid: number, ours: readonly EngineAttachment[]): void {
  using namespace = new NetworkNamespace(`/proc/${pid}/ns/net`);
  using netlink = openRoute(namespace);
  const links = listLinks(netlink).filter(({ name }) => name.startsWith(interfacePrefix));
  namespace.run(() => {
    for (const link of links) {
      checkNeighboursOften(link.name);
      const own = ours.filter(({ mac }) => mac.toLowerCase() === link.mac);
      announceAddresses(
        link,
        own.map(({ ip, prefix }) => ({ address: parseIp(ip), prefix })),
      );
    }
  });
}
