import type { LossReport } from "./loss-report.ts";

/** What a report says of the mesh and of what carries frames. */

export interface RouterReport {
  readonly Protocol: string;
  readonly ProtocolMinVersion: number;
  readonly ProtocolMaxVersion: number;
  readonly Encryption: boolean;
  readonly PeerDiscovery: boolean;
  readonly Name: string;
  readonly NickName: string;
  readonly Port: number;
  readonly Peers: readonly PeerReport[] | null;
  readonly UnicastRoutes: readonly { readonly Dest: string; readonly Via: string }[] | null;
  readonly BroadcastRoutes:
    | readonly { readonly Source: string; readonly Via: readonly string[] | null }[]
    | null;
  readonly Connections: readonly ConnectionReport[] | null;
  readonly TerminationCount: number;
  readonly Targets: readonly string[] | null;
  readonly OverlayDiagnostics: Readonly<Record<string, unknown>>;
  readonly TrustedSubnets: readonly string[];
  readonly Interface: string;
  readonly CaptureStats: Readonly<Record<string, number>> | null;
  readonly MACs: readonly MacReport[] | null;
  /** What other peers said and we could not take; absent while there is nothing. */
  readonly Refusals?: readonly RefusalReport[];
  /** What is left to the kernel; absent while the data plane is silent. */
  readonly Offloads?: readonly OffloadReport[];
  /** What of the kernel carries frames. */
  readonly Datapath?: DatapathReport;
  /** What holds the router's packet filter rules: `nftables`, `iptables (nf_tables)`, … */
  readonly Firewall?: readonly string[];
}

export interface DatapathReport {
  /** `ebpf` or `ovs`; empty when sleeve carries all frames. */
  readonly Backend: string;
  /**
   * Which others were tried, best first, and why they are not used; `fastdp` stands for all, by the
   * operator's choice.
   */
  readonly Refused: readonly { readonly Name: string; readonly Reason: string }[] | null;
}

/** One thing that the kernel or the network card may do for the data plane. */
export interface OffloadReport {
  /** `capture`, `capture-udp`, `send` or `receive`. */
  readonly Name: string;
  readonly Used: boolean;
  /** Why it is not used; empty when it is. */
  readonly Reason: string;
}

/** Payloads of one origin on one channel: the peers that passed them on are not to blame. */
export interface RefusalReport {
  readonly Channel: string;
  readonly Peer: string;
  readonly NickName: string;
  /** Since the start of the router. */
  readonly Count: number;
  /** Stable, e.g. `DNS_CLOCK_SKEW`; of the latest, as are the following. */
  readonly Code: string;
  readonly Message: string;
  readonly Remedy: string;
  /** RFC 3339. */
  readonly Last: string;
}

export interface PeerReport {
  readonly Name: string;
  readonly NickName: string;
  /** 64 bits: larger than a JavaScript number holds. */
  readonly UID: bigint;
  readonly ShortID: number;
  readonly Version: bigint | number;
  readonly Connections: readonly PeerConnectionReport[] | null;
}

export interface PeerConnectionReport {
  readonly Name: string;
  readonly NickName: string;
  readonly Address: string;
  readonly Outbound: boolean;
  readonly Established: boolean;
}

export interface ConnectionReport {
  readonly Address: string;
  readonly Outbound: boolean;
  /** established, pending, connecting, retrying, failed or waiting. */
  readonly State: string;
  readonly Info: string;
  readonly Attrs: Readonly<Record<string, string | number | boolean>> | null;
  /** `name/version` of what both peers can do beyond the original; missing for nothing. */
  readonly Extensions?: readonly string[];
  /** From here to the other host and back, in milliseconds; missing without a connection. */
  readonly RoundTripMs?: number;
  /** Milliseconds that the other host's clock is ahead, negative when behind; missing while unknown. */
  readonly ClockOffsetMs?: number;
  /** Why this overlay and not a better one; missing without a connection. */
  readonly Reason?: string;
  /** RFC 3339: since when frames take this overlay; missing without a connection. */
  readonly Since?: string;
  /** What to do about the last failure; missing while there was none. */
  readonly Remedy?: string;
  /** Frames of containers since the connection was established; missing where nothing counts. */
  readonly Traffic?: TrafficReport;
  /** Frames that got lost between both; missing where the ends have nothing to compare. */
  readonly Loss?: LossReport;
}

/** Ethernet frames before encapsulation, and their octets. */
export interface TrafficReport {
  readonly SentPackets: number;
  readonly SentBytes: number;
  readonly ReceivedPackets: number;
  readonly ReceivedBytes: number;
}

export interface MacReport {
  readonly Mac: string;
  readonly Name: string;
  readonly NickName: string;
  readonly LastSeen: string;
}
