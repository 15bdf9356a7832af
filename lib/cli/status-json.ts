import type { ReportModel } from "./report-model.ts";

/** What `weave status [part] --json` prints, made from the report. */
type Fields = Record<string, unknown>;

/** `undefined` for a part whose service is off. */
export function statusFields(part: string | undefined, report: ReportModel): Fields | undefined {
  switch (part) {
    case undefined:
      return pageFields(report);
    case "targets":
      return { targets: [...report.Router.Targets].sort() };
    case "connections":
      return { connections: connectionFields(report) };
    case "peers":
      return { peers: peerFields(report) };
    case "dns":
      return report.DNS && dnsFields(report.DNS);
    case "ipam":
      return report.IPAM && { ...ipamPage(report.IPAM), peers: ownerFields(report) };
    default:
      return undefined;
  }
}

function pageFields(report: ReportModel): Fields {
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
    ...(ipam === undefined ? {} : { ipam: ipamPage(ipam) }),
    ...(dns === undefined
      ? {}
      : {
          dns: {
            domain: dns.Domain,
            address: dns.Address,
            upstream: dns.Upstream,
            ttlSeconds: dns.TTL,
            entries: liveEntries(dns).length,
          },
        }),
  };
}

function countBy(words: readonly string[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const word of words.toSorted()) counts[word] = (counts[word] ?? 0) + 1;
  return counts;
}

function refusalFields({ Router: { Refusals } }: ReportModel): Fields[] {
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

function connectionFields(report: ReportModel): Fields[] {
  return report.Router.Connections.map((connection) => ({
    address: connection.Address,
    outbound: connection.Outbound,
    state: connection.State,
    info: connection.Info,
    attributes: connection.Attrs ?? {},
    extensions: connection.Extensions,
    ...(connection.RoundTripMs !== undefined && { roundTripMs: connection.RoundTripMs }),
    ...(connection.Reason !== undefined && { reason: connection.Reason }),
    ...(connection.Remedy !== undefined && { remedy: connection.Remedy }),
  }));
}

function peerFields(report: ReportModel): Fields[] {
  return report.Router.Peers.map((peer) => ({
    name: peer.Name,
    nickname: peer.NickName,
    connections: peer.Connections.map((connection) => ({
      name: connection.Name,
      nickname: connection.NickName,
      address: connection.Address,
      outbound: connection.Outbound,
      established: connection.Established,
    })),
  }));
}

type Dns = NonNullable<ReportModel["DNS"]>;
type Ipam = NonNullable<ReportModel["IPAM"]>;

/** A removed name stays in the table as a tombstone for a while. */
function liveEntries(dns: Dns): Dns["Entries"] {
  return dns.Entries.filter((entry) => entry.Tombstone === 0);
}

function dnsFields(dns: Dns): Fields {
  return {
    domain: dns.Domain,
    entries: liveEntries(dns).map((entry) => ({
      hostname: entry.Hostname,
      address: entry.Address,
      container: entry.ContainerID,
      origin: entry.Origin,
    })),
  };
}

function ipamPage(ipam: Ipam): Fields {
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
function ownerFields(report: ReportModel): Fields[] {
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
