import * as v from "valibot";
import { WeaveError } from "../base/errors.ts";
import {
  parseAnswer,
  readContainer,
  readContainerList,
  readImage,
  readInfo,
  readNetwork,
} from "./engine-answers.ts";
import { EngineClient } from "./engine-client.ts";
import type {
  EngineContainer,
  EngineImage,
  EngineInfo,
  EngineNetwork,
  ListedEngineContainer,
  NewEngineNetwork,
} from "./engine-models.ts";

const createdSchema = v.object({ Id: v.string() });

/** What the router asks a Docker engine, and the little that it tells it to do. */
export class DockerEngine {
  readonly client: EngineClient;

  /** A client, or an endpoint as in `DOCKER_HOST`. @throws WeaveError `ENGINE_ENDPOINT` */
  constructor(client: EngineClient | string) {
    this.client = typeof client === "string" ? new EngineClient(client) : client;
  }

  /**
   * By name, id, unambiguous start of an id, or `label:<key>[=<value>]` for the only one that runs and
   * has that label; `undefined` when there is no such container.
   *
   * @throws WeaveError `CONTAINER_AMBIGUOUS` when several have the label
   */
  async inspect(reference: string): Promise<EngineContainer | undefined> {
    // No name has a colon.
    const label = /^label:(.+)$/.exec(reference)?.[1];
    if (label !== undefined) return this.#inspectLabelled(label);
    const raw = await this.client.request({ path: inspectPath(reference) });
    return raw === undefined ? undefined : readContainer(raw);
  }

  async #inspectLabelled(label: string): Promise<EngineContainer | undefined> {
    const filters = encodeURIComponent(JSON.stringify({ label: [label] }));
    const found = await this.#list(`/containers/json?filters=${filters}`, {});
    if (found.length <= 1) return found[0] && this.inspect(found[0].id);
    const names = found.map(({ id, names }) => names[0] ?? id.slice(0, 12));
    throw new WeaveError(
      "CONTAINER_AMBIGUOUS",
      `label ${label} is that of ${found.length} containers: ${listed(names)}`,
      { remedy: "name one of them, or a label that it alone has" },
    );
  }

  /** Ids of all running containers. */
  async runningIds(): Promise<string[]> {
    return (await this.#list("/containers/json", {})).map(({ id }) => id);
  }

  /** Names of all running containers, as people call them. */
  async runningNames(options: { readonly waitMs?: number } = {}): Promise<string[]> {
    return (await this.#list("/containers/json", options)).flatMap(({ names }) => names);
  }

  /** All containers, whether they run or not. */
  allContainers(): Promise<ListedEngineContainer[]> {
    return this.#list("/containers/json?all=1", {});
  }

  async #list(
    path: string,
    options: { readonly waitMs?: number },
  ): Promise<ListedEngineContainer[]> {
    const raw = await this.client.request({ path, ...options });
    return raw === undefined ? [] : readContainerList(raw);
  }

  /** By name or id; `undefined` when the engine does not have it. */
  async image(reference: string): Promise<EngineImage | undefined> {
    const raw = await this.client.request({ path: `/images/${pathPart(reference)}/json` });
    return raw === undefined ? undefined : readImage(raw);
  }

  /** By name or id; `undefined` when there is no such network. */
  async network(reference: string): Promise<EngineNetwork | undefined> {
    const raw = await this.client.request({ path: `/networks/${encodeURIComponent(reference)}` });
    return raw === undefined ? undefined : readNetwork(raw);
  }

  /** Gives the network's id. @throws WeaveError `ENGINE_REFUSED`, among others where there is one */
  async createNetwork({ name, driver, ipam, options }: NewEngineNetwork): Promise<string> {
    const raw = await this.client.request({
      method: "POST",
      path: "/networks/create",
      body: {
        Name: name,
        CheckDuplicate: true,
        Driver: driver,
        IPAM: { Driver: ipam.driver, Config: [{ Subnet: ipam.subnet }] },
        Options: options,
      },
    });
    if (raw === undefined) {
      throw new WeaveError("ENGINE_REFUSED", `the Docker engine has no network driver ${driver}`);
    }
    return parseAnswer(createdSchema, raw).Id;
  }

  /** False when there is no such network. @throws WeaveError `ENGINE_REFUSED` while it is in use */
  async removeNetwork(reference: string): Promise<boolean> {
    const path = `/networks/${encodeURIComponent(reference)}`;
    return (await this.client.request({ method: "DELETE", path })) !== undefined;
  }

  async info(): Promise<EngineInfo> {
    return readInfo(await this.client.request({ path: "/info" }));
  }

  /** False when there is no such container. @throws WeaveError `ENGINE_REFUSED` when it does not run */
  async kill(id: string, signal = "SIGKILL"): Promise<boolean> {
    const path = `/containers/${encodeURIComponent(id)}/kill?signal=${signal}`;
    return (await this.client.request({ method: "POST", path })) !== undefined;
  }
}

/** What a sentence has room for. */
const namesShownMax = 5;

function listed(names: readonly string[]): string {
  const shown = names.toSorted().slice(0, namesShownMax).join(", ");
  return names.length > namesShownMax ? `${shown}, …` : shown;
}

export function inspectPath(reference: string): string {
  return `/containers/${encodeURIComponent(reference)}/json`;
}

/** Image names have slashes, which the engine wants as they are. */
function pathPart(reference: string): string {
  return reference.split("/").map(encodeURIComponent).join("/");
}
