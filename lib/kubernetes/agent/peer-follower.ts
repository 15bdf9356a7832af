import { coalesce } from "../../base/coalesce.ts";
import { errorText } from "../../base/errors.ts";
import type { Cancel, World } from "../../base/world.ts";
import { clusterPeers, type OwnNode } from "../node-peers.ts";
import type { ObjectSource } from "../object-observer.ts";
import type { NodeObject } from "../objects.ts";
import type { PeerCache } from "../peer-cache.ts";
import type { RouterPort } from "../router-port.ts";

/** Nodes that change within this time are told of together. */
const burstMs = 1000;

export interface PeerFollowerParts {
  readonly world: World;
  readonly nodes: ObjectSource<NodeObject>;
  readonly own: OwnNode;
  readonly cache: PeerCache;
  readonly router: Pick<RouterPort, "connect">;
  /** Peers that are none of the cluster's nodes, and stay. */
  readonly others: readonly string[];
  /** False where peers were given that are not all nodes: those are remembered alone. */
  readonly connects: boolean;
}

/**
 * Has the router connect to the nodes of the cluster as they come and go, and remembers them for a
 * start while nobody can tell.
 *
 *   a node more ─▶ connected as well             a node less ─▶ all that are left, and no others
 */
export class PeerFollower {
  readonly #parts: PeerFollowerParts;
  readonly #changed: ReturnType<typeof coalesce>;
  readonly #unobserve: Cancel;
  #addresses: ReadonlySet<string>;

  constructor(parts: PeerFollowerParts) {
    this.#parts = parts;
    // With these the router was started.
    this.#addresses = new Set(parts.cache.read()?.addresses);
    this.#changed = coalesce(parts.world, burstMs, () => this.#follow());
    const changed = (): void => this.#changed();
    this.#unobserve = parts.nodes.observe({ changed, deleted: changed, replaced: changed });
  }

  stop(): void {
    this.#unobserve();
    this.#changed.cancel();
  }

  #follow(): void {
    const { nodes, own, cache, world } = this.#parts;
    // A list in parts would look like nodes that were removed.
    if (!nodes.status().synced) return;
    const found = clusterPeers(nodes.all(), own);
    cache.remember(found, world.log);
    const addresses = new Set(found.addresses);
    const isSame = addresses.symmetricDifference(this.#addresses).size === 0;
    const replace = this.#addresses.difference(addresses).size > 0;
    this.#addresses = addresses;
    if (!isSame) void this.#connect(found.addresses, replace);
  }

  async #connect(addresses: readonly string[], replace: boolean): Promise<void> {
    const { connects, others, router, world } = this.#parts;
    if (!connects) return;
    try {
      await router.connect([...addresses, ...others], { replace });
    } catch (error) {
      world.log.warn(`cannot connect to the nodes of the cluster: ${errorText(error)}`);
    }
  }
}
