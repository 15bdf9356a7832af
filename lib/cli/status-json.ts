import { lossFields } from "../api/loss-model.ts";
import type { Output } from "./context.ts";
import type { JsonFields } from "./json-documents.ts";
import { writeJson } from "./json-output.ts";
import type { ReportModel } from "./report-model.ts";

/** What `weave status [part] --json` prints, made from the report: false when the part is off. */
export function writeStatus(
  output: Output,
  part: string | undefined,
  report: ReportModel,
): boolean {
  const { Router: router, IPAM: ipam, DNS: dns } = report;
  switch (part) {
    case undefined:
      writeJson(output, "status", pageFields(report));
      return true;
    case "targets":
      writeJson(output, "status-targets", { targets: router.Targets.toSorted() });
      return true;
    case "connections":
      writeJson(output, "status-connections", { connections: connectionFields(report) });
      return true;
    case "peers":
      writeJson(output, "status-peers", { peers: peerFields(report) });
      return true;
    case "dns":
      if (dns !== undefined) writeJson(output, "status-dns", dnsFields(dns));
      return dns !== undefined;
    default:
      if (ipam === undefined) return false;
      writeJson(output, "status-ipam", { ...ipamPage(ipam), peers: ownerFields(report) });
      return true;
  }
}

function pageFields(report: ReportModel): JsonFields<"status"> {
  const { Router: router, IPAM: ipam, DNS: dns } = report;
  return {
    ready: report.Ready,
    version: report.Version,
    name: router.Name,
    nickname: router.NickName,
    port: router.Port,
    protocol: { minimum: router.ProtocolMinVersion, maximum: router.ProtocolMaxVersion },
    encryption: router.Encryption,
    peerDiscovery: router.PeerDiscovery,
    trustedSubnets: router.TrustedSubnets,
    targets: router.Targets.length,
    connections: countBy(router.Connections.map((connection) => connection.State)),
    peers: router.Peers.length,
    ...(router.Refusals.length > 0 && { refused: refusalFields(report) }),
    ...(ipam !== undefined && { ipam: ipamPage(ipam) }),
    ...(dns !== undefined && {
      dns: {
        domain: dns.Domain,
        address: dns.Address,
        upstream: dns.Upstream,
        ttlSeconds: dns.TTL,
        entries: liveEntries(dns).length,
      },
    }),
    ...(report.Policy !== undefined && { policy: policyFields(report.Policy) }),
    ...(report.Kubernetes !== undefined && { kubernetes: kubernetesFields(report.Kubernetes) }),
  };
}

/** By the first key that differs, in the order of code units: the same everywhere. */
function ordered<T>(items: readonly T[], keys: (item: T) => readonly string[]): T[] {
  return items.toSorted((a, b) => {
    const [first, second] = [keys(a), keys(b)];
    const at = first.findIndex((key, index) => key !== second[index]);
    return at < 0 ? 0 : first[at]! < second[at]! ? -1 : 1;
  });
}

function countBy(words: readonly string[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const word of words.toSorted()) counts[word] = (counts[word] ?? 0) + 1;
  return counts;
}

function refusalFields({
  Router: { Refusals },
}: ReportModel): NonNullable<JsonFields<"status">["refused"]> {
  return Refusals.map((refusal) => ({
    channel: refusal.Channel,
    peer: refusal.Peer,
    nickname: refusal.NickName,
    count: refusal.Count,
    message: refusal.Message,
    remedy: refusal.Remedy,
    last: refusal.Last,
  }));
}

function connectionFields(report: ReportModel): JsonFields<"status-connections">["connections"] {
  const connections = ordered(report.Router.Connections, (each) => [
    each.Address,
    String(each.Outbound),
  ]);
  return connections.map((connection) => ({
    address: connection.Address,
    outbound: connection.Outbound,
    state: connection.State,
    info: connection.Info,
    attributes: connection.Attrs ?? {},
    extensions: connection.Extensions,
    ...(connection.RoundTripMs !== undefined && { roundTripMs: connection.RoundTripMs }),
    ...(connection.ClockOffsetMs !== undefined && { clockOffsetMs: connection.ClockOffsetMs }),
    ...(connection.Reason !== undefined && { reason: connection.Reason }),
    ...(connection.Remedy !== undefined && { remedy: connection.Remedy }),
    ...(connection.Loss !== undefined && { loss: lossFields(connection.Loss) }),
  }));
}

function peerFields(report: ReportModel): JsonFields<"status-peers">["peers"] {
  return ordered(report.Router.Peers, (peer) => [peer.Name]).map((peer) => ({
    name: peer.Name,
    nickname: peer.NickName,
    connections: ordered(peer.Connections, ({ Name }) => [Name]).map((connection) => ({
      name: connection.Name,
      nickname: connection.NickName,
      address: connection.Address,
      outbound: connection.Outbound,
      established: connection.Established,
    })),
  }));
}

function kubernetesFields(
  node: NonNullable<ReportModel["Kubernetes"]>,
): NonNullable<JsonFields<"status">["kubernetes"]> {
  const { Standing, Gone, Reclaimed } = node.Reclaim;
  return {
    ...{ node: node.Node, ready: node.Awaited.length === 0, awaited: node.Awaited },
    policy: node.Policy,
    watches: node.Watches.map(({ Resource, Phase, LastError }) => ({
      ...{ resource: Resource, phase: Phase, lastError: LastError },
    })),
    ...{ standing: Standing, peersGone: Gone, peersReclaimed: Reclaimed },
  };
}

function policyFields(
  policy: NonNullable<ReportModel["Policy"]>,
): NonNullable<JsonFields<"status">["policy"]> {
  const { Trouble, Standing } = policy;
  return {
    ...{ status: policy.Status, source: policy.Source, enforcer: policy.Enforcer },
    policies: policy.Policies + policy.ClusterPolicies,
    ...{ pods: policy.Pods, localPods: policy.LocalPods, held: policy.Held },
    ...{ faults: policy.Faults, notEnforcing: policy.NotEnforcing },
    ...(Trouble !== undefined && {
      trouble: { message: Trouble.Message, remedy: Trouble.Remedy },
    }),
    ...(Standing !== undefined && {
      standing: { cut: Standing.Cut, trouble: Standing.Trouble, remedy: Standing.Remedy },
    }),
  };
}

type Dns = NonNullable<ReportModel["DNS"]>;
type Ipam = NonNullable<ReportModel["IPAM"]>;

/** A removed name stays in the table as a tombstone for a while. */
function liveEntries(dns: Dns): Dns["Entries"] {
  return dns.Entries.filter((entry) => entry.Tombstone === 0);
}

function dnsFields(dns: Dns): JsonFields<"status-dns"> {
  const entries = ordered(liveEntries(dns), (entry) => [
    entry.Hostname,
    entry.Address,
    entry.ContainerID,
    entry.Origin,
  ]);
  return {
    domain: dns.Domain,
    entries: entries.map((entry) => ({
      hostname: entry.Hostname,
      address: entry.Address,
      container: entry.ContainerID,
      origin: entry.Origin,
    })),
  };
}

function ipamPage(ipam: Ipam): Omit<JsonFields<"status-ipam">, "peers"> {
  return {
    range: ipam.Range,
    defaultSubnet: ipam.DefaultSubnet,
    addresses: ipam.RangeNumIPs,
    active: ipam.ActiveIPs,
    ...(ipam.Conflicts !== undefined && {
      conflicts: ipam.Conflicts.map((conflict) => ({
        peer: conflict.Peer,
        nickname: conflict.Nickname,
        message: conflict.Message,
        remedy: conflict.Remedy,
      })),
    }),
    ...(ipam.Reclaim !== undefined && {
      reclaim: {
        afterSeconds: ipam.Reclaim.AfterSeconds,
        members: ipam.Reclaim.Members,
        mayAllocate: ipam.Reclaim.MayAllocate,
        leaseLeftSeconds: ipam.Reclaim.LeaseLeftSeconds,
      },
    }),
  };
}

/** Addresses per owner, this peer first. */
function ownerFields(report: ReportModel): JsonFields<"status-ipam">["peers"] {
  const owners = new Map<string, { nickname: string; addresses: number; reachable: boolean }>();
  for (const entry of report.IPAM?.Entries ?? []) {
    const addresses = (owners.get(entry.Peer)?.addresses ?? 0) + entry.Size;
    owners.set(entry.Peer, { nickname: entry.Nickname, addresses, reachable: entry.IsKnownPeer });
  }
  const self = report.Router.Name;
  return [...owners]
    .sort(([a], [b]) => Number(b === self) - Number(a === self) || (a < b ? -1 : 1))
    .map(([name, owner]) => ({ name, ...owner }));
}
