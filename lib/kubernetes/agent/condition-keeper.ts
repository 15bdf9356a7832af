import { everyBeat } from "../../base/beat.ts";
import { errorText } from "../../base/errors.ts";
import type { Cancel, World } from "../../base/world.ts";
import type { KubernetesApi } from "../kubernetes-api.ts";
import { networkIsUp, setNetworkCondition } from "../node-condition.ts";
import type { ObjectSource } from "../object-observer.ts";
import type { NodeObject } from "../objects.ts";

/** As often as kubelets report a node that does not change. */
const refreshMs = 300_000;

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

  stop(): void {
    this.#unobserve();
    this.#stopRefreshing?.();
  }

  async #say(sinceMs: number): Promise<void> {
    const nowMs = this.#world.now();
    await setNetworkCondition(this.#api, this.#nodeName, networkIsUp, { sinceMs, nowMs });
    this.#sinceMs = sinceMs;
  }

  #refresh(): void {
    if (this.#sinceMs === undefined) return;
    this.#say(this.#sinceMs).catch((error) => {
      this.#world.log.debug(`cannot say that the node has a network: ${errorText(error)}`);
    });
  }
}
