import { errorText, WeaveError } from "../../base/errors.ts";
import { parseCidr } from "../../base/ip.ts";
import { pause } from "../../base/pause.ts";
import { RetryDelay } from "../../base/retry-delay.ts";
import type { World } from "../../base/world.ts";
import type { Paths } from "../../daemon/paths.ts";
import { openRoute } from "../../host/netlink/open.ts";
import { checkRouteOverlap } from "../../host/route-overlap.ts";
import type { KubernetesApi } from "../kubernetes-api.ts";
import type { AgentFacts, AgentSettings } from "./agent-settings.ts";
import { type ClusterView, viewCluster } from "./cluster-view.ts";
import { settleNodeState } from "./node-state.ts";

export interface PreparationParts {
  readonly world: World;
  readonly paths: Paths;
  readonly api: KubernetesApi;
}

/**
 * Finds out what the router of a node has to be told (kubernetes §4, steps 3 to 6).
 *
 * @throws WeaveError `ROUTE_OVERLAP`, `STORE_…`, `IMPORT_UNREADABLE`
 */
export async function prepareAgent(
  settings: AgentSettings,
  { world, paths, api }: PreparationParts,
  signal: AbortSignal,
): Promise<AgentFacts> {
  checkRange(settings.range);
  const view = await awaitView({ world, api }, signal);
  const { peerName } = settleNodeState(
    { paths, formerDatabase: settings.formerDatabase, hostRoot: settings.hostRoot },
    () => undefined,
    world.log,
  );
  return { peers: settings.peers ?? view.peers, nodes: view.nodes, peerName };
}

const retries = { firstMs: 1000, maxMs: 30_000, growth: 2 } as const;

async function awaitView(
  { world, api }: Pick<PreparationParts, "world" | "api">,
  signal: AbortSignal,
): Promise<ClusterView> {
  const delay = new RetryDelay(retries);
  for (;;) {
    try {
      return await viewCluster(api, signal);
    } catch (error) {
      world.log.warn(`cannot ask for the nodes of the cluster: ${errorText(error)}`);
    }
    await pause(world, delay.after(0), signal);
    signal.throwIfAborted();
  }
}

/** @throws WeaveError `ROUTE_OVERLAP` */
function checkRange(range: string): void {
  using netlink = openRoute();
  try {
    checkRouteOverlap(netlink, parseCidr(range), "weave");
  } catch (error) {
    if (!(error instanceof WeaveError)) throw error;
    throw new WeaveError(error.code, error.message, {
      remedy: "set IPALLOC_RANGE to a range that is free on all nodes, the same for all",
      cause: error,
    });
  }
}
