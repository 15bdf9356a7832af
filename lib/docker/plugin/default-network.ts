import { errorCode, errorText } from "../../base/errors.ts";
import { formatIpv4Cidr, type Ipv4Cidr } from "../../base/ip.ts";
import type { Log } from "../../base/world.ts";
import type { DockerEngine } from "../engine.ts";

/** What `docker run --net=weave` names. */
export const defaultNetworkName = "weave";

export interface DefaultNetworkOptions {
  readonly engine: Pick<DockerEngine, "network" | "createNetwork" | "removeNetwork">;
  /** Name of the driver of networks with addresses of ours. */
  readonly driver: string;
  /** Of all its containers on all hosts. */
  readonly subnet: Ipv4Cidr;
  readonly log: Log;
}

/** A container as people know it. */
export interface NamedContainer {
  readonly id: string;
  readonly name: string;
}

/**
 * The network `weave` of Docker, which is one with everybody in the cluster's default subnet. It is
 * made when an engine answers that has none, and removed when the router is stopped, because an
 * engine that starts without us would look for its driver. Who removes it meanwhile means it.
 */
export class DefaultNetwork {
  readonly #options: DefaultNetworkOptions;
  /** Why it could not be made the last time: said once. */
  #trouble: string | undefined;
  #stands = false;

  constructor(options: DefaultNetworkOptions) {
    this.#options = options;
  }

  /** Why there is none, or it is not ours; `undefined` while there is nothing to say. */
  get trouble(): string | undefined {
    return this.#trouble;
  }

  /** The engine was away, or may have been told otherwise. */
  doubt(): void {
    this.#stands = false;
  }

  /** Makes it unless it stands. What stands in the way is logged, and tried again the next time. */
  async ensure(): Promise<void> {
    if (this.#stands) return;
    try {
      const trouble = await this.#make();
      this.#stands = trouble === undefined;
      this.#tell(trouble);
    } catch (error) {
      this.#tell(`network ${defaultNetworkName} cannot be made: ${errorText(error)}`);
    }
  }

  /** Removes it, or says who is still connected to it. @throws WeaveError when the engine fails */
  async remove(): Promise<readonly NamedContainer[]> {
    const { engine, driver } = this.#options;
    const found = await engine.network(defaultNetworkName);
    if (found === undefined || found.driver !== driver) return [];
    if (found.containers.length > 0) return found.containers;
    this.#stands = false;
    await engine.removeNetwork(found.id);
    return [];
  }

  /** Why it is not ours; `undefined` when it is. */
  async #make(): Promise<string | undefined> {
    const { engine, driver, subnet, log } = this.#options;
    const wanted = formatIpv4Cidr(subnet);
    const found = await engine.network(defaultNetworkName);
    if (found !== undefined && found.driver !== driver) {
      return `a network ${defaultNetworkName} of driver ${found.driver} is there already`;
    }
    if (found !== undefined) {
      const [present = wanted] = found.subnets;
      if (present === wanted) return undefined;
      if (found.containers.length > 0) {
        return `network ${defaultNetworkName} has containers and the subnet ${present}, not ${wanted}`;
      }
      // Of a router that was launched with another default subnet.
      await engine.removeNetwork(found.id);
    }
    try {
      await engine.createNetwork({
        name: defaultNetworkName,
        driver,
        ipam: { driver, subnet: wanted },
        options: { "works.weave.multicast": "true" },
      });
    } catch (error) {
      // Somebody may have made it a moment before.
      if (errorCode(error) !== "ENGINE_REFUSED") throw error;
      if ((await engine.network(defaultNetworkName))?.driver !== driver) throw error;
    }
    log.info(`[plugin] made network ${defaultNetworkName} in Docker`);
    return undefined;
  }

  #tell(trouble: string | undefined): void {
    if (trouble !== undefined && trouble !== this.#trouble) {
      this.#options.log.warn(`[plugin] ${trouble}`);
    }
    this.#trouble = trouble;
  }
}
