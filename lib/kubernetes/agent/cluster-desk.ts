import { pause } from "../../base/pause.ts";
import type { World } from "../../base/world.ts";
import type { KubernetesApi } from "../kubernetes-api.ts";
import { listAll } from "../list-all.ts";
import { Reflector } from "../list-watch.ts";
import {
  type NetworkCondition,
  networkConditionType,
  setNetworkCondition,
} from "../node-condition.ts";
import { clusterPeers } from "../node-peers.ts";
import { type ListedPeer, peerListPlace } from "../peer-list.ts";
import { PeerListStore } from "../peer-list-store.ts";
import { register } from "../peer-registration.ts";
import { Reclaimer } from "../reclaimer.ts";
import { configMaps, nodes } from "../resources.ts";
import type { RouterPort } from "../router-port.ts";
import { ownNode } from "./prepare.ts";

/** How often it is looked whether a round of reclaiming is over. */
const lookMs = 200;

/** Single questions to a cluster and single changes of it, for operators and their scripts. */
export class ClusterDesk {
  readonly #world: World;
  readonly #api: KubernetesApi;
  readonly #nodeName: string;

  constructor(world: World, api: KubernetesApi, nodeName: string) {
    this.#world = world;
    this.#api = api;
    this.#nodeName = nodeName;
  }

  /** Addresses of the other nodes. @throws WeaveError `K8S_…` */
  async peers(): Promise<readonly string[]> {
    const all = await listAll(this.#api, nodes, new AbortController().signal);
    return clusterPeers(all, ownNode(this.#world, this.#nodeName)).addresses;
  }

  /** Whether a peer is in the list. @throws WeaveError `K8S_…` */
  async isListed(peerName: string): Promise<boolean> {
    return (await this.#list.read()).has(peerName);
  }

  /** UID of the list; empty when there is none yet. @throws WeaveError `K8S_…` */
  async listUid(): Promise<string> {
    return (await this.#api.get(configMaps, peerListPlace))?.metadata.uid ?? "";
  }

  /** @throws WeaveError `K8S_…` */
  async setCondition(condition: NetworkCondition): Promise<void> {
    const nowMs = this.#world.now();
    await setNetworkCondition(this.#api, this.#nodeName, condition, { sinceMs: nowMs, nowMs });
  }

  /** Says no more how the network stands: the next one may have nothing to say. @throws WeaveError `K8S_…` */
  async withdrawCondition(): Promise<void> {
    const place = { name: this.#nodeName, subresource: "status" };
    const conditions = [{ $patch: "delete", type: networkConditionType }];
    await this.#api.patch(nodes, place, { status: { conditions } });
  }

  /** Takes a peer of this node out of the list, so that nobody looks after it. @throws WeaveError `K8S_…` */
  async strike(peerName: string): Promise<void> {
    await this.#list.update((now) => now.withoutPeer(peerName), new AbortController().signal);
  }

  /**
   * Puts a peer into the list and takes over, through its router, what removed nodes had: once, or
   * until `signal` says so.
   *
   * @throws WeaveError `K8S_…` when the peer cannot be listed
   */
  async reclaim(
    peerName: string,
    router: Pick<RouterPort, "reclaim">,
    { signal, goesOn }: { readonly signal: AbortSignal; readonly goesOn: boolean },
  ): Promise<void> {
    const self: ListedPeer = { peerName, nodeName: this.#nodeName };
    await register(this.#list, self, signal);
    const followed = new Reflector(this.#world, this.#api, nodes);
    const reclaimer = new Reclaimer({
      ...{ world: this.#world, api: this.#api, list: this.#list },
      ...{ nodes: followed, router, self },
    });
    followed.start();
    reclaimer.start();
    const isOver = (): boolean => !goesOn && reclaimer.status().step === "sleep";
    while (!signal.aborted && !isOver()) await pause(this.#world, lookMs, signal);
    await Promise.all([reclaimer.stop(), followed.stop()]);
  }

  get #list(): PeerListStore {
    return new PeerListStore(this.#world, this.#api);
  }
}
