import { join } from "node:path";
import { errorText, WeaveError } from "../../base/errors.ts";
import { parseCidr } from "../../base/ip.ts";
import type { World } from "../../base/world.ts";
import type { Paths } from "../../daemon/paths.ts";
import { defaultDeviceNames } from "../../host/device-names.ts";
import { openRoute } from "../../host/netlink/open.ts";
import { OwnAddresses } from "../../host/own-addresses.ts";
import { checkRouteOverlap } from "../../host/route-overlap.ts";
import { findPeers } from "../find-peers.ts";
import type { KubernetesApi } from "../kubernetes-api.ts";
import type { OwnNode } from "../node-peers.ts";
import { PeerCache } from "../peer-cache.ts";
import { PeerListStore } from "../peer-list-store.ts";
import { mayGoOn } from "../peer-registration.ts";
import type { AgentFacts, AgentSettings } from "./agent-settings.ts";
import { settleNodeState } from "./node-state.ts";

export interface PreparationParts {
  readonly world: World;
  readonly paths: Paths;
  readonly api: KubernetesApi;
}

/**
 * Finds out what the router of a node has to be told (kubernetes §4, steps 3 to 6). Waits for the API
 * server only where nothing is known of the cluster from an earlier run.
 *
 * @throws WeaveError `ROUTE_OVERLAP`, `STORE_…`, `IMPORT_UNREADABLE`; the reason of `signal`
 */
export async function prepareAgent(
  settings: AgentSettings,
  { world, paths, api }: PreparationParts,
  signal: AbortSignal,
): Promise<AgentFacts> {
  checkRange(settings.range);
  const own = ownNode(world, settings.nodeName);
  const found =
    settings.peers === undefined
      ? await findPeers({ world, api, cache: peerCache(paths), own }, signal)
      : givenPeers(settings.peers, own);
  if (found.source === "cache") {
    world.log.warn(
      "the API server does not answer: starting with the nodes that were known before",
    );
  }
  const { formerDatabase, hostRoot } = settings;
  const list = new PeerListStore(world, api);
  const peerName = await settleNodeState(
    { paths, formerDatabase, hostRoot },
    async (enrolment) =>
      found.source === "cache" ||
      (await orGoOn(mayGoOn({ world, list }, enrolment, signal), world, signal)),
    world.log,
  );
  return { peers: found.addresses, nodes: found.count, peerName };
}

/** Nobody is asked for others; one of them may be this node. */
function givenPeers(addresses: readonly string[], own: OwnNode) {
  const others = addresses.filter((address) => !own.hasAddress(address));
  return { addresses, count: others.length + 1, source: "given" } as const;
}

/** Where nobody can tell, what a node remembers is taken for its own. */
async function orGoOn(
  asked: Promise<boolean>,
  { log }: World,
  signal: AbortSignal,
): Promise<boolean> {
  try {
    return await asked;
  } catch (error) {
    signal.throwIfAborted();
    log.warn(`cannot read the list of the cluster's peers: ${errorText(error)}`);
    return true;
  }
}

/** Where a node keeps what it last knew of its cluster. */
export function peerCache({ stateDir }: Paths): PeerCache {
  return new PeerCache(join(stateDir, "kubernetes-peers.json"));
}

export function ownNode(world: World, nodeName: string): OwnNode {
  const addresses = new OwnAddresses(world);
  return { nodeName, hasAddress: (address) => addresses.has(address) };
}

/** @throws WeaveError `ROUTE_OVERLAP` */
function checkRange(range: string): void {
  using netlink = openRoute();
  try {
    checkRouteOverlap(netlink, parseCidr(range), defaultDeviceNames.bridge);
  } catch (error) {
    if (!(error instanceof WeaveError) || error.code !== "ROUTE_OVERLAP") throw error;
    throw new WeaveError(error.code, error.message, {
      remedy: "set IPALLOC_RANGE to a range that is free on all nodes, the same for all",
      cause: error,
    });
  }
}
