import { formatIp, tryParseIp } from "../base/ip.ts";
import type { NodeObject } from "./objects.ts";

/** Which node is ours. */
export interface OwnNode {
  readonly nodeName: string;
  /** Whether an address, in canonical text, is one of this host. */
  hasAddress(address: string): boolean;
}

/** The routers of a cluster, as its nodes tell. */
export interface ClusterPeers {
  /** Addresses of the other nodes, sorted; one for each that has any. */
  readonly addresses: readonly string[];
  /** Nodes that can have a router, this one among them: whose majority makes a ring. */
  readonly count: number;
}

/**
 * Every node that can have a router has a peer (kubernetes §5). The one that bears our name, or an
 * address of this host, is us.
 */
export function clusterPeers(nodes: readonly NodeObject[], own: OwnNode): ClusterPeers {
  const addresses = new Set<string>();
  // Before the kubelet has registered this one, it is not among them.
  let count = 1;
  for (const node of nodes) {
    if (isOwn(node, own) || !canHaveRouter(node)) continue;
    count++;
    const address = peerAddress(node);
    if (address !== undefined) addresses.add(address);
  }
  return { addresses: [...addresses].sort(), count };
}

/**
 * The address under which the router of a node is reached; `undefined` for a node without any. IPv4
 * goes before IPv6, because there are routers that have IPv4 alone; what is internal before what is
 * external; and of several the last, as the original takes it.
 */
export function peerAddress({ status: { addresses } }: NodeObject): string | undefined {
  const known = addresses.flatMap(({ type, address }) => {
    const parsed = tryParseIp(address);
    return parsed === undefined ? [] : [{ type, family: parsed.family, text: formatIp(parsed) }];
  });
  for (const family of [4, 6]) {
    for (const type of ["InternalIP", "ExternalIP"]) {
      const found = known.findLast((each) => each.family === family && each.type === type);
      if (found !== undefined) return found.text;
    }
  }
  return undefined;
}

/** Any address that nodes have, and not the first alone: some have the external one on no device. */
function isOwn({ metadata, status }: NodeObject, own: OwnNode): boolean {
  if (metadata.name === own.nodeName) return true;
  return status.addresses.some(({ type, address }) => {
    const parsed = type.endsWith("IP") ? tryParseIp(address) : undefined;
    return parsed !== undefined && own.hasAddress(formatIp(parsed));
  });
}

/** Nodes of Windows can be in a cluster, and would never vote. */
function canHaveRouter({ metadata: { labels } }: NodeObject): boolean {
  return (labels["kubernetes.io/os"] ?? "linux") === "linux";
}

/**
 * The value of `--ipalloc-init`: a majority of all nodes makes the ring, so that no two parts of a
 * cluster make one each. The original left itself out, and took half for a majority.
 */
export function ipallocInit({ count }: Pick<ClusterPeers, "count">): string {
  return `consensus=${count}`;
}
