import { networkInterfaces } from "node:os";
import type { KubernetesApi } from "../kubernetes-api.ts";
import type { NodeObject } from "../objects.ts";
import { nodes } from "../resources.ts";

/** What a router is told of its cluster before it starts. */
export interface ClusterView {
  /** Addresses of the other nodes. */
  readonly peers: readonly string[];
  /** Nodes there are, this one among them. */
  readonly nodes: number;
}

const pageMax = 500;

export async function viewCluster(api: KubernetesApi, signal: AbortSignal): Promise<ClusterView> {
  const all: NodeObject[] = [];
  let continueToken = "";
  do {
    const page = await api.list(nodes, { limit: pageMax, continueToken }, signal);
    all.push(...page.items);
    continueToken = page.continueToken;
  } while (continueToken !== "");
  const own = new Set(
    Object.values(networkInterfaces()).flatMap((l) => l?.map((a) => a.address) ?? []),
  );
  const addresses = all.flatMap(({ status }) => {
    const of = (type: string) => status.addresses.filter((each) => each.type === type).at(-1);
    return (of("InternalIP") ?? of("ExternalIP"))?.address ?? [];
  });
  return { peers: addresses.filter((each) => !own.has(each)), nodes: all.length };
}
