import { errorText } from "../base/errors.ts";
import { pause } from "../base/pause.ts";
import { RetryDelay } from "../base/retry-delay.ts";
import type { World } from "../base/world.ts";
import type { KubernetesApi } from "./kubernetes-api.ts";
import { listAll } from "./list-all.ts";
import { type ClusterPeers, clusterPeers, type OwnNode } from "./node-peers.ts";
import type { PeerCache } from "./peer-cache.ts";
import { nodes } from "./resources.ts";

const retryDelays = { firstMs: 1000, maxMs: 30_000, growth: 2 };

/** How long a server is asked for what is known from the last run as well. */
const withCacheMs = 10_000;

/** The peers of a cluster, and whether they are those of now. */
export interface FoundPeers extends ClusterPeers {
  readonly source: "server" | "cache";
}

/**
 * Asks for the peers of a cluster before a router starts, and takes those of the last run where
 * nobody answers: a node that starts again comes up without its API server. The first time of all it
 * waits for as long as it takes.
 *
 * @throws the reason of `signal`
 */
export async function findPeers(
  parts: {
    readonly world: World;
    readonly api: KubernetesApi;
    readonly cache: PeerCache;
    readonly own: OwnNode;
  },
  signal: AbortSignal,
): Promise<FoundPeers> {
  const { world, api, cache, own } = parts;
  const delay = new RetryDelay(retryDelays);
  const known = cache.read();
  const untilMs = world.monotonicMs() + withCacheMs;
  const late = new AbortController();
  const cancel = known && world.after(withCacheMs, () => late.abort());
  try {
    for (;;) {
      try {
        const all = await listAll(api, nodes, AbortSignal.any([signal, late.signal]));
        const found = clusterPeers(all, own);
        cache.remember(found, world.log);
        return { ...found, source: "server" };
      } catch (error) {
        signal.throwIfAborted();
        world.log.warn(`cannot ask for the nodes of the cluster: ${errorText(error)}`);
      }
      const isLate = world.monotonicMs() >= untilMs || late.signal.aborted;
      if (known !== undefined && isLate) return { ...known, source: "cache" };
      await pause(world, delay.after(0), AbortSignal.any([signal, late.signal]));
      signal.throwIfAborted();
    }
  } finally {
    cancel?.();
  }
}
