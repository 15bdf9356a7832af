import { splitHostPort } from "../../base/endpoint.ts";
import { tryParseIp } from "../../base/ip.ts";
import { formatPeerName, noPeer, type PeerName, parsePeerName } from "../../base/peer-name.ts";
import type {
  ClusterFacts,
  IpamFacts,
  MeshFacts,
  OwnerFact,
  PathFact,
} from "../../diagnosis/facts.ts";
import { findLink } from "../../host/netlink/link.ts";
import { openRoute } from "../../host/netlink/open.ts";
import { findRoute } from "../../host/netlink/route.ts";
import { randomPeerName } from "../../host/peer-name-source.ts";
import type { AllocatorStatus, RangeStatus } from "../../ipam/allocator-status.ts";
import type { MeshStatus } from "../../mesh/mesh-status.ts";
import type { ControlPlane } from "../../peer/control-plane.ts";

/** What the router knows of the cluster, and how packets get to the hosts it names. */
export function gatherCluster({ mesh, ipam }: ControlPlane): ClusterFacts {
  const status = mesh.status();
  const hosts = status.connections.flatMap(({ address }) => splitHostPort(address)?.host ?? []);
  return {
    mesh: meshFacts(status),
    ipam: ipam && ipamFacts(ipam.allocator.status()),
    paths: pathsTo(new Set(hosts)),
    spareName: formatPeerName(randomPeerName()),
    nowMs: Date.now(),
  };
}

function meshFacts(status: MeshStatus): MeshFacts {
  return {
    ...status,
    unicastRoutes: status.unicastRoutes.map(({ dest, via }) => ({
      dest,
      via: parsePeerName(via) === noPeer ? status.name : via,
    })),
    refusals: status.refusals.map(({ channel, origin, error }) => ({
      channel,
      peer: formatPeerName(origin),
      error,
    })),
  };
}

function ipamFacts(status: AllocatorStatus): IpamFacts {
  return {
    conflicts: status.conflicts.map((conflict) => ({
      ...conflict,
      peer: formatPeerName(conflict.peer),
    })),
    owners: ownersOf(status.ranges ?? []),
    election: status.election,
    mayAllocate: status.reclaim?.mayUse ?? true,
    storeError: status.storeError,
  };
}

function ownersOf(ranges: readonly RangeStatus[]): OwnerFact[] {
  const owners = new Map<PeerName, OwnerFact>();
  for (const { peer, nickname, size, isKnownPeer } of ranges) {
    owners.set(peer, {
      peer: formatPeerName(peer),
      nickname,
      addresses: (owners.get(peer)?.addresses ?? 0) + size,
      isKnown: isKnownPeer,
    });
  }
  return [...owners.values()];
}

function pathsTo(hosts: ReadonlySet<string>): PathFact[] {
  using netlink = openRoute();
  return [...hosts].flatMap((remote) => {
    const address = tryParseIp(remote);
    const route = address && findRoute(netlink, address);
    const device = route && findLink(netlink, { index: route.interfaceIndex });
    if (route === undefined || device === undefined) return [];
    const { name, mtu } = device;
    return [{ remote, device: name, mtu: Math.min(route.mtu ?? mtu, mtu), gateway: route.gateway }];
  });
}
