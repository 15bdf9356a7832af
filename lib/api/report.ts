import type { EventsReport, TracingReport } from "./events-report.ts";
import type { LossReport } from "./loss-report.ts";
import type { PolicyReport } from "./policy-report.ts";

/**
 * The shape of `GET /report` (http-api §5). Scripts and templates rely on these names, their order
 * and on which of them are `null` or absent; the rest of the code uses its own types and is turned
 * into this one in `make-report.ts`.
 */
export interface Report {
  readonly Ready: boolean;
  readonly Version: string;
  readonly VersionCheck: {
    readonly Enabled: boolean;
    readonly Success: boolean;
    readonly NewVersion: string;
    readonly NextCheckAt: string;
  };
  readonly Router: RouterReport;
  /** Absent when address allocation is off. */
  readonly IPAM?: IpamReport;
  /** Absent when DNS is off. */
  readonly DNS?: DnsReport;
  /** The cluster of Kubernetes that this host is a node of; absent when it is none. */
  readonly Kubernetes?: KubernetesReport;
  /** Absent while there are no policies to enforce. */
  readonly Policy?: PolicyReport;
  /** The Docker engine; absent when none is asked. */
  readonly Docker?: DockerReport;
  /** The Docker API proxy; absent when it is off, or no Docker engine has answered yet. */
  readonly Proxy?: ProxyReport;
  /** Docker's network plugin; absent when it is off, or no Docker engine has answered yet. */
  readonly Plugin?: PluginReport;
  /** Where else events go; absent when they go nowhere else. */
  readonly Events?: EventsReport;
  /** Absent when nothing is traced. */
  readonly Tracing?: TracingReport;
}

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

export interface IpamReport {
  /** Not null only while an election is awaited. */
  readonly Paxos: {
    readonly Elector: boolean;
    readonly KnownNodes: number;
    readonly Quorum: number;
  } | null;
  readonly Range: string;
  readonly RangeNumIPs: number;
  readonly ActiveIPs: number;
  readonly DefaultSubnet: string;
  readonly Entries: readonly RingEntryReport[] | null;
  readonly PendingClaims:
    | readonly {
        readonly Ident: string;
        readonly CIDR: { readonly Addr: string; readonly PrefixLen: number };
      }[]
    | null;
  readonly PendingAllocates: readonly string[] | null;
  /** Peers whose rings disagree with ours; absent while there are none. */
  readonly Conflicts?: readonly ConflictReport[];
  /** Automatic reclaim; absent while it is off. */
  readonly Reclaim?: ReclaimReport;
}

export interface ConflictReport {
  readonly Peer: string;
  readonly Nickname: string;
  /** Stable, `IPAM_RING_…`. */
  readonly Code: string;
  readonly Message: string;
  readonly Remedy: string;
  /** RFC 3339. */
  readonly Since: string;
}

export interface ReclaimReport {
  /** 0 while there is no council. */
  readonly AfterSeconds: number;
  /** Decrees so far. */
  readonly Epoch: number;
  readonly Members: readonly string[];
  /** Whether addresses may be given out: false without a majority for too long. */
  readonly MayAllocate: boolean;
  /** Null for a peer that needs no lease. */
  readonly LeaseLeftSeconds: number | null;
  readonly Taken: readonly { readonly Peer: string; readonly Epoch: number }[];
}

export interface RingEntryReport {
  readonly Token: string;
  readonly Size: number;
  readonly Peer: string;
  readonly Nickname: string;
  readonly IsKnownPeer: boolean;
  readonly Version: number;
}

export interface DnsReport {
  readonly Domain: string;
  readonly Upstream: readonly string[] | null;
  readonly Address: string;
  readonly TTL: number;
  readonly Entries: readonly DnsEntryReport[] | null;
}

export interface DnsEntryReport {
  readonly Hostname: string;
  readonly Origin: string;
  readonly ContainerID: string;
  readonly Address: string;
  readonly Version: number;
  /** Unix seconds of deletion; 0 for a live name. */
  readonly Tombstone: number;
}

/** How it stands with a node of Kubernetes; texts are empty for what is not, times RFC 3339. */
export interface KubernetesReport {
  readonly Node: string;
  /** Whether network policies are enforced. */
  readonly Policy: boolean;
  /** What keeps the node from being of use, a sentence each; null for nothing. */
  readonly Awaited: readonly string[] | null;
  /** What has to be done once. */
  readonly Tasks: readonly KubernetesTaskReport[];
  /** What is followed of the cluster. */
  readonly Watches: readonly KubernetesWatchReport[];
  /** Ranges of removed nodes. */
  readonly Reclaim: {
    /** `member`; `nodeless` when this node is none of the cluster, `struck` when its peer is not listed. */
    readonly Standing: string;
    /** Peers whose nodes are gone, and which are listed still. */
    readonly Gone: number;
    /** Peers whose ranges were taken here. */
    readonly Reclaimed: number;
    readonly Trouble: string;
  };
}

export interface KubernetesTaskReport {
  readonly Name: string;
  readonly Done: boolean;
  /** Since when it is done, or is not. */
  readonly Since: string;
  /** Why it could not be done the last time. */
  readonly Code: string;
  readonly Message: string;
  readonly Remedy: string;
}

export interface KubernetesWatchReport {
  readonly Resource: string;
  /** stopped, listing, watching, resting or absent. */
  readonly Phase: string;
  readonly Synced: boolean;
  readonly Objects: number;
  /** When the server was last heard of. */
  readonly Heard: string;
  readonly LastError: string;
  readonly LastErrorAt: string;
}

/** How it stands with the Docker engine; texts are empty for what is not, times RFC 3339. */
export interface DockerReport {
  readonly Endpoint: string;
  readonly TLS: boolean;
  /** Of our own requests; empty while it is not known. */
  readonly APIVersion: string;
  /** Since when its events are followed; empty while they are not. */
  readonly Since: string;
  /** What ended that last, or keeps it from beginning. */
  readonly LastError: string;
  readonly LastErrorAt: string;
  /** Of an engine that is there, or was, and is not followed; absent while there is none. */
  readonly Trouble?: { readonly Code: string; readonly Message: string; readonly Remedy: string };
  /** Containers that run and were attached when they started, or were found. */
  readonly Attached: number;
  /** Containers that could not be attached, and why the last time; absent while there are none. */
  readonly Failures?: readonly AttachFailureReport[];
  /** Containers whose commands wait for the network; absent while there are none. */
  readonly Waiting?: readonly WaitingContainerReport[];
}

export interface AttachFailureReport {
  readonly ContainerID: string;
  readonly Name: string;
  readonly At: string;
  readonly Reason: string;
  readonly Remedy: string;
}

export interface WaitingContainerReport {
  readonly ContainerID: string;
  readonly Name: string;
  /** How long it has waited so far. */
  readonly Seconds: number;
  readonly Reason: string;
  readonly Remedy: string;
}

export interface ProxyReport {
  /** Where it listens: `tcp://ip:port`, `unix:///path`. */
  readonly Addresses: readonly string[] | null;
  /** Where it cannot, and why; absent while there is nothing. */
  readonly Problems?: readonly string[];
}

export interface PluginReport {
  readonly Config: {
    readonly Socket: string;
    readonly MeshSocket: string;
    readonly Enable: boolean;
    /** Docker itself keeps this router as a plugin. */
    readonly EnableV2: boolean;
    readonly EnableV2Multicast: boolean;
    readonly DNS: boolean;
    readonly DefaultSubnet: string;
    readonly ProcPath: string;
  };
  /** Of networks of a swarm, as Docker calls it. */
  readonly DriverName: string;
  /** Of networks with addresses of ours; absent without. */
  readonly MeshDriverName?: string;
  /** Networks of Docker that are ours. */
  readonly Networks: readonly PluginNetworkReport[] | null;
  /** What does not work; absent while there is nothing. */
  readonly Problems?: readonly string[];
}

export interface PluginNetworkReport {
  readonly ID: string;
  readonly Driver: string;
  /** Empty when it is not known. */
  readonly Subnet: string;
  readonly Multicast: boolean;
  /** Whether its containers are kept within the subnet. */
  readonly Isolated: boolean;
  /** Containers of this host that are connected to it. */
  readonly Endpoints: number;
}
