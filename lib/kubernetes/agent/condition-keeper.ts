import { everyBeat } from "../../base/beat.ts";
import { errorText } from "../../base/errors.ts";
import { pause } from "../../base/pause.ts";
import type { Cancel, World } from "../../base/world.ts";
import type { KubernetesApi } from "../kubernetes-api.ts";
import {
  type NetworkCondition,
  networkIsDown,
  networkIsUp,
  setNetworkCondition,
} from "../node-condition.ts";
import type { ObjectSource } from "../object-observer.ts";
import type { NodeObject } from "../objects.ts";

/** As often as kubelets report a node that does not change. */
const refreshMs = 300_000;

/** How long a stop waits for the server. */
const withdrawMs = 2000;

const failure = "cannot say how the network of the node stands";

/**
 * Says on the Node that it has a network, and goes on saying so: an object that was made anew, and
 * one whose status somebody has replaced, would keep pods off the node otherwise.
 */
export class ConditionKeeper {
  readonly #world: World;
  readonly #api: KubernetesApi;
  readonly #nodeName: string;
  readonly #unobserve: Cancel;
  #sinceMs: number | undefined;
  #stopRefreshing: Cancel | undefined;

  constructor(parts: {
    readonly world: World;
    readonly api: KubernetesApi;
    readonly nodes: ObjectSource<NodeObject>;
    readonly nodeName: string;
  }) {
    this.#world = parts.world;
    this.#api = parts.api;
    this.#nodeName = parts.nodeName;
    this.#unobserve = parts.nodes.observe({
      changed: (change, { metadata }) => {
        if (change === "added" && metadata.name === this.#nodeName) this.#refresh();
      },
    });
  }

  /** From now on the node has a network. @throws WeaveError `K8S_…` */
  async begin(): Promise<void> {
    await this.#say(this.#world.now());
    this.#stopRefreshing ??= everyBeat(this.#world, refreshMs, () => this.#refresh());
  }

  /**
   * The router stops: new pods would have no addresses, so none should be given to the node until it
   * runs again. A server that does not answer is not waited for.
   */
  async stop(): Promise<void> {
    this.#unobserve();
    this.#stopRefreshing?.();
    if (this.#sinceMs === undefined) return;
    this.#sinceMs = undefined;
    const answered = new AbortController();
    const withdrawn = this.#set(networkIsDown, this.#world.now())
      .catch((error) => this.#world.log.debug(`${failure}: ${errorText(error)}`))
      .finally(() => answered.abort());
    await Promise.race([withdrawn, pause(this.#world, withdrawMs, answered.signal)]);
  }

  async #say(sinceMs: number): Promise<void> {
    await this.#set(networkIsUp, sinceMs);
    this.#sinceMs = sinceMs;
  }

  #set(condition: NetworkCondition, sinceMs: number): Promise<void> {
    const times = { sinceMs, nowMs: this.#world.now() };
    return setNetworkCondition(this.#api, this.#nodeName, condition, times);
  }

  #refresh(): void {
    if (this.#sinceMs === undefined) return;
    this.#say(this.#sinceMs).catch((error) => {
      this.#world.log.debug(`${failure}: ${errorText(error)}`);
    });
  }
}
