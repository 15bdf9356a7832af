import { errorCode } from "../base/errors.ts";
import { pause } from "../base/pause.ts";
import { randomUnit } from "../base/random.ts";
import type { World } from "../base/world.ts";
import type { KubernetesApi } from "./kubernetes-api.ts";
import type { ConfigMapObject } from "./objects.ts";
import { PeerList, peerListPlace } from "./peer-list.ts";
import { configMaps } from "./resources.ts";

/** Who was overtaken tries again within it (kubernetes §5). */
const retryMs = 2000;

/**
 * The list of peers on the API server. Who writes has read what he changes: a write that somebody
 * else was faster than is refused by the server, and made again from what is there then.
 */
export class PeerListStore {
  readonly #world: World;
  readonly #api: KubernetesApi;
  #conflicts = 0;

  constructor(world: World, api: KubernetesApi) {
    this.#world = world;
    this.#api = api;
  }

  /** How often others were faster, since the start. */
  get conflicts(): number {
    return this.#conflicts;
  }

  /** @throws WeaveError `K8S_…` */
  async read(): Promise<PeerList> {
    return listOf(await this.#object());
  }

  /**
   * Changes the list once, as it is now.
   *
   * @param edit another list; or the same, when there is nothing to change
   * @returns the list afterwards; `undefined` when somebody else was faster
   * @throws WeaveError `K8S_…`
   */
  async tryUpdate(edit: (list: PeerList) => PeerList): Promise<PeerList | undefined> {
    try {
      return await this.#update(edit);
    } catch (error) {
      if (errorCode(error) !== "K8S_CONFLICT") throw error;
      this.#conflicts++;
      return undefined;
    }
  }

  /**
   * Changes the list, however many others do.
   *
   * @returns the list afterwards
   * @throws WeaveError `K8S_…`, but for conflicts; the reason of `signal`
   */
  async update(edit: (list: PeerList) => PeerList, signal: AbortSignal): Promise<PeerList> {
    for (;;) {
      const list = await this.tryUpdate(edit);
      if (list !== undefined) return list;
      await pause(this.#world, randomUnit(this.#world.random) * retryMs, signal);
      signal.throwIfAborted();
    }
  }

  async #update(edit: (list: PeerList) => PeerList): Promise<PeerList> {
    const object = await this.#object();
    const before = listOf(object);
    const after = edit(before);
    if (after === before) return before;
    const { annotations } = after;
    if (object === undefined) {
      return listOf(
        await this.#api.create(configMaps, { metadata: { ...peerListPlace, annotations } }),
      );
    }
    const metadata = { ...object.metadata, annotations: { ...annotations } };
    return listOf(await this.#api.replace(configMaps, { ...object, metadata }));
  }

  #object(): Promise<ConfigMapObject | undefined> {
    return this.#api.get(configMaps, peerListPlace);
  }
}

/** Nobody has made it before the first peer is listed. */
function listOf(object: ConfigMapObject | undefined): PeerList {
  return new PeerList(object?.metadata.annotations ?? {}, object?.metadata.uid);
}
