import type { LinkTraffic } from "../base/overlay.ts";
import { formatPeerName, type PeerName } from "../base/peer-name.ts";
import { type LossTally, shareLost } from "../mesh/loss-account.ts";
import { type LinkLoss, lossWindowMs } from "../mesh/loss-meter.ts";
import type { MeshStatus } from "../mesh/mesh-status.ts";
import type { LossReport, LossWayReport } from "./loss-report.ts";
import type {
  DatapathReport,
  MacReport,
  OffloadReport,
  RefusalReport,
  RouterReport,
  TrafficReport,
} from "./router-report.ts";

/** What the data plane adds to the mesh's part of the report. */
export interface DataPlaneReport {
  /** How frames are captured, e.g. `vethwe-pcap (via pcap)`. */
  readonly interface: string;
  readonly captureStats: Readonly<Record<string, number>> | null;
  readonly macs: readonly LearntMac[];
  readonly overlayDiagnostics: Readonly<Record<string, unknown>>;
  /** Empty while the data plane is silent. */
  readonly offloads: readonly OffloadStatus[];
  readonly datapath?: DatapathStatus;
  /** What holds packet filter rules; missing where nobody knows. */
  readonly firewall?: readonly string[];
}

export interface DatapathStatus {
  /** Missing when sleeve carries all frames. */
  readonly backend: string | undefined;
  /** Why others are not used, by name; by `fastdp` for all. */
  readonly refusals: ReadonlyMap<string, string>;
}

export interface OffloadStatus {
  readonly name: string;
  /** Why it is not used; empty when it is. */
  readonly missing: string;
}

export interface LearntMac {
  /** Six hex octets with colons. */
  readonly mac: string;
  readonly peer: PeerName;
  /** Milliseconds since the Unix epoch. */
  readonly lastSeenMs: number;
}

/** The `Router` member of the report, in the original's names and order. */
export function makeRouterReport(mesh: MeshStatus, dataPlane: DataPlaneReport): RouterReport {
  return {
    Protocol: "weave",
    ProtocolMinVersion: mesh.protocolMinVersion,
    ProtocolMaxVersion: mesh.protocolMaxVersion,
    Encryption: mesh.encryption,
    PeerDiscovery: mesh.peerDiscovery,
    Name: mesh.name,
    NickName: mesh.nickname,
    Port: mesh.port,
    Peers: orNull(mesh.peers.map(peer)),
    UnicastRoutes: orNull(mesh.unicastRoutes.map(({ dest, via }) => ({ Dest: dest, Via: via }))),
    BroadcastRoutes: orNull(
      mesh.broadcastRoutes.map(({ source, via }) => ({ Source: source, Via: orNull(via) })),
    ),
    Connections: orNull(mesh.connections.map(connection)),
    TerminationCount: mesh.terminationCount,
    Targets: orNull(mesh.targets),
    OverlayDiagnostics: sorted(dataPlane.overlayDiagnostics),
    TrustedSubnets: mesh.trustedSubnets,
    Interface: dataPlane.interface,
    CaptureStats: dataPlane.captureStats,
    MACs: orNull(macs(dataPlane.macs, mesh)),
    ...(mesh.refusals.length > 0 && { Refusals: refusals(mesh) }),
    ...(dataPlane.offloads.length > 0 && { Offloads: dataPlane.offloads.map(offload) }),
    ...(dataPlane.datapath !== undefined && { Datapath: datapath(dataPlane.datapath) }),
    ...(dataPlane.firewall !== undefined && { Firewall: dataPlane.firewall }),
  };
}

/** Go writes an empty list that was never filled as `null`. */
export function orNull<T>(items: readonly T[]): readonly T[] | null {
  return items.length === 0 ? null : items;
}

function peer(status: MeshStatus["peers"][number]) {
  return {
    Name: status.name,
    NickName: status.nickname,
    UID: status.uid,
    ShortID: status.shortId ?? 0,
    Version: status.version,
    Connections: orNull(
      status.connections.map((link) => ({
        Name: link.name,
        NickName: link.nickname,
        Address: link.address,
        Outbound: link.outbound,
        Established: link.established,
      })),
    ),
  };
}

function connection(status: MeshStatus["connections"][number]) {
  return {
    Address: status.address,
    Outbound: status.outbound,
    State: status.state,
    Info: status.info,
    Attrs: status.attributes === undefined ? null : sorted(status.attributes),
    ...(status.extensions !== undefined && { Extensions: status.extensions }),
    ...(status.roundTripMs !== undefined && { RoundTripMs: status.roundTripMs }),
    ...(status.clockOffsetMs !== undefined && { ClockOffsetMs: status.clockOffsetMs }),
    ...(status.reason !== undefined && { Reason: status.reason }),
    ...(status.sinceMs !== undefined && { Since: new Date(status.sinceMs).toISOString() }),
    ...(status.error?.remedy !== undefined && { Remedy: status.error.remedy }),
    ...(status.traffic !== undefined && { Traffic: traffic(status.traffic) }),
    ...(status.loss !== undefined && { Loss: lossReport(status.loss.recent) }),
  };
}

function traffic(carried: LinkTraffic): TrafficReport {
  const { sentPackets, sentBytes, receivedPackets, receivedBytes } = carried;
  return {
    ...{ SentPackets: sentPackets, SentBytes: sentBytes },
    ...{ ReceivedPackets: receivedPackets, ReceivedBytes: receivedBytes },
  };
}

/** What got lost of late, with its share. */
export function lossReport({ to, from }: LinkLoss["recent"]): LossReport {
  return { Seconds: lossWindowMs / 1000, To: lossOneWay(to), From: lossOneWay(from) };
}

function lossOneWay(tally: LossTally): LossWayReport {
  return { Frames: tally.frames, Lost: tally.lost, Share: shareLost(tally) ?? null };
}

/** As Go writes a map. */
function sorted<T>(map: Readonly<Record<string, T>>): Record<string, T> {
  return Object.fromEntries(Object.entries(map).sort(([a], [b]) => (a < b ? -1 : 1)));
}

function datapath({ backend, refusals: reasons }: DatapathStatus): DatapathReport {
  const refused = [...reasons].map(([Name, Reason]) => ({ Name, Reason }));
  return { Backend: backend ?? "", Refused: orNull(refused) };
}

function offload({ name, missing }: OffloadStatus): OffloadReport {
  return { Name: name, Used: missing === "", Reason: missing };
}

function refusals(mesh: MeshStatus): RefusalReport[] {
  const nicknames = nicknamesOf(mesh);
  return mesh.refusals.map(({ channel, origin, count, error, atMs }) => {
    const name = formatPeerName(origin);
    return {
      Channel: channel,
      Peer: name,
      NickName: nicknames.get(name) ?? "",
      Count: count,
      Code: error.code,
      Message: error.text,
      Remedy: error.remedy ?? "",
      Last: new Date(atMs).toISOString(),
    };
  });
}

function nicknamesOf(mesh: MeshStatus): ReadonlyMap<string, string> {
  return new Map(mesh.peers.map(({ name, nickname }) => [name, nickname]));
}

function macs(learnt: readonly LearntMac[], mesh: MeshStatus): MacReport[] {
  const nicknames = nicknamesOf(mesh);
  return learnt.map(({ mac, peer: owner, lastSeenMs }) => {
    const name = formatPeerName(owner);
    return {
      Mac: mac,
      Name: name,
      NickName: nicknames.get(name) ?? "",
      LastSeen: new Date(lastSeenMs).toISOString(),
    };
  });
}
