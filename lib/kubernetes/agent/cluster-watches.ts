import type { World } from "../../base/world.ts";
import type { KubernetesApi } from "../kubernetes-api.ts";
import { Reflector } from "../list-watch.ts";
import type { WatchStatus } from "../object-observer.ts";
import {
  adminNetworkPolicies,
  baselineAdminNetworkPolicies,
  namespaces,
  networkPolicies,
  nodes,
  pods,
} from "../resources.ts";
import type { PolicyWatches } from "./policy-source.ts";

/** All of a cluster that a node follows. Where no policies are enforced, that is the nodes alone. */
export class ClusterWatches implements PolicyWatches {
  readonly nodes;
  readonly namespaces;
  readonly pods;
  readonly networkPolicies;
  readonly adminPolicies;
  readonly baselinePolicies;
  readonly #followed;

  constructor(world: World, api: KubernetesApi, { policy }: { readonly policy: boolean }) {
    this.nodes = new Reflector(world, api, nodes);
    this.namespaces = new Reflector(world, api, namespaces);
    this.pods = new Reflector(world, api, pods);
    this.networkPolicies = new Reflector(world, api, networkPolicies);
    this.adminPolicies = new Reflector(world, api, adminNetworkPolicies);
    this.baselinePolicies = new Reflector(world, api, baselineAdminNetworkPolicies);
    const ofPolicies = [
      ...[this.namespaces, this.pods, this.networkPolicies],
      ...[this.adminPolicies, this.baselinePolicies],
    ];
    this.#followed = [this.nodes, ...(policy ? ofPolicies : [])];
  }

  start(): void {
    for (const each of this.#followed) each.start();
  }

  status(): WatchStatus[] {
    return this.#followed.map((each) => each.status());
  }

  /** Resolves when nobody is told anything any more. */
  async stop(): Promise<void> {
    await Promise.all(this.#followed.map((each) => each.stop()));
  }
}
