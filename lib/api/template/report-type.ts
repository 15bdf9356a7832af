import type { DnsEntryReport, DnsReport } from "../dns-report.ts";
import type {
  AttachFailureReport,
  DockerReport,
  PluginNetworkReport,
  PluginReport,
  ProxyReport,
  WaitingContainerReport,
} from "../docker-report.ts";
import type { ConflictReport, IpamReport, ReclaimReport, RingEntryReport } from "../ipam-report.ts";
import type {
  KubernetesReport,
  KubernetesTaskReport,
  KubernetesWatchReport,
} from "../kubernetes-report.ts";
import type { PolicyReport } from "../policy-report.ts";
import type { Report } from "../report.ts";
import type {
  DatapathReport,
  MacReport,
  OffloadReport,
  PeerConnectionReport,
  PeerReport,
  RefusalReport,
  RouterReport,
} from "../router-report.ts";
import { eventsType, tracingType } from "./events-type.ts";
import {
  any,
  bool,
  int,
  map,
  plain,
  pointer,
  slice,
  string,
  struct,
  uint16,
  uint64,
} from "./go-type.ts";
import { connectionType } from "./link-types.ts";

type PendingClaim = NonNullable<IpamReport["PendingClaims"]>[number];
type ItemOf<List extends "UnicastRoutes" | "BroadcastRoutes"> = NonNullable<
  RouterReport[List]
>[number];

/** The Go types of the report (http-api §5), for templates over it. Times are strings, as in JSON. */

const versionCheckType = struct<Report["VersionCheck"]>(
  "VersionCheckReport",
  { Enabled: bool, Success: bool, NewVersion: string, NextCheckAt: string },
  // The sentence of `weave status`; there is no service any more that would know of new versions.
  { print: () => "version check update disabled" },
);

const peerConnectionType = struct<PeerConnectionReport>("PeerConnectionReport", {
  Name: string,
  NickName: string,
  Address: string,
  Outbound: bool,
  Established: bool,
});

const peerType = struct<PeerReport>("PeerReport", {
  Name: string,
  NickName: string,
  UID: uint64,
  ShortID: uint16,
  Version: uint64,
  Connections: slice(peerConnectionType),
});

const refusalType = struct<RefusalReport>("RefusalReport", {
  Channel: string,
  Peer: string,
  NickName: string,
  Count: int,
  Code: string,
  Message: string,
  Remedy: string,
  Last: string,
});

const offloadType = struct<OffloadReport>("OffloadReport", {
  Name: string,
  Used: bool,
  Reason: string,
});

const datapathType = struct<DatapathReport>("DatapathReport", {
  Backend: string,
  Refused: slice(
    struct<NonNullable<DatapathReport["Refused"]>[number]>("DatapathRefusal", {
      Name: string,
      Reason: string,
    }),
  ),
});

const routerType = struct<RouterReport>(
  "RouterReport",
  {
    Protocol: string,
    ProtocolMinVersion: int,
    ProtocolMaxVersion: int,
    Encryption: bool,
    PeerDiscovery: bool,
    Name: string,
    NickName: string,
    Port: int,
    Peers: slice(peerType),
    UnicastRoutes: slice(
      struct<ItemOf<"UnicastRoutes">>("UnicastRouteReport", { Dest: string, Via: string }),
    ),
    BroadcastRoutes: slice(
      struct<ItemOf<"BroadcastRoutes">>("BroadcastRouteReport", {
        Source: string,
        Via: slice(string),
      }),
    ),
    Connections: slice(connectionType),
    TerminationCount: int,
    Targets: slice(string),
    OverlayDiagnostics: map(any),
    TrustedSubnets: slice(string),
    Interface: string,
    CaptureStats: map(int),
    MACs: slice(
      struct<MacReport>("MacReport", {
        Mac: string,
        Name: string,
        NickName: string,
        LastSeen: string,
      }),
    ),
    Refusals: slice(refusalType),
    Offloads: slice(offloadType),
    Datapath: datapathType,
    Firewall: slice(string),
  },
  { additions: ["Refusals", "Offloads", "Datapath", "Firewall"] },
);

const ringEntryType = struct<RingEntryReport>("RingEntryReport", {
  Token: string,
  Size: int,
  Peer: string,
  Nickname: string,
  IsKnownPeer: bool,
  Version: int,
});

const conflictType = struct<ConflictReport>("ConflictReport", {
  Peer: string,
  Nickname: string,
  Code: string,
  Message: string,
  Remedy: string,
  Since: string,
});

const reclaimType = struct<ReclaimReport>("ReclaimReport", {
  AfterSeconds: int,
  Epoch: int,
  Members: slice(string),
  MayAllocate: bool,
  LeaseLeftSeconds: plain,
  Taken: slice(struct<ReclaimReport["Taken"][number]>("TakenReport", { Peer: string, Epoch: int })),
});

const ipamType = struct<IpamReport>(
  "IpamReport",
  {
    Paxos: pointer(
      struct<NonNullable<IpamReport["Paxos"]>>("PaxosReport", {
        Elector: bool,
        KnownNodes: int,
        Quorum: int,
      }),
    ),
    Range: string,
    RangeNumIPs: int,
    ActiveIPs: int,
    DefaultSubnet: string,
    Entries: slice(ringEntryType),
    PendingClaims: slice(
      struct<PendingClaim>("PendingClaimReport", {
        Ident: string,
        CIDR: struct<PendingClaim["CIDR"]>("CidrReport", { Addr: string, PrefixLen: int }),
      }),
    ),
    PendingAllocates: slice(string),
    Conflicts: slice(conflictType),
    Reclaim: pointer(reclaimType),
  },
  { additions: ["Conflicts", "Reclaim"] },
);

const dnsEntryType = struct<DnsEntryReport>("DnsEntryReport", {
  Hostname: string,
  Origin: string,
  ContainerID: string,
  Address: string,
  Version: int,
  Tombstone: int,
});

const dnsType = struct<DnsReport>("DnsReport", {
  Domain: string,
  Upstream: slice(string),
  Address: string,
  TTL: int,
  Entries: slice(dnsEntryType),
});

const attachFailureType = struct<AttachFailureReport>("AttachFailureReport", {
  ContainerID: string,
  Name: string,
  At: string,
  Reason: string,
  Remedy: string,
});

const waitingContainerType = struct<WaitingContainerReport>("WaitingContainerReport", {
  ContainerID: string,
  Name: string,
  Seconds: int,
  Reason: string,
  Remedy: string,
});

const dockerType = struct<DockerReport>(
  "DockerReport",
  {
    Endpoint: string,
    TLS: bool,
    APIVersion: string,
    Since: string,
    LastError: string,
    LastErrorAt: string,
    Trouble: pointer(
      struct<NonNullable<DockerReport["Trouble"]>>("DockerTrouble", {
        Code: string,
        Message: string,
        Remedy: string,
      }),
    ),
    Attached: int,
    Failures: slice(attachFailureType),
    Waiting: slice(waitingContainerType),
  },
  { additions: ["Trouble", "Failures", "Waiting"] },
);

const policyType = struct<PolicyReport>(
  "PolicyReport",
  {
    Status: string,
    Source: string,
    Enforcer: string,
    Reason: string,
    Policies: int,
    ClusterPolicies: int,
    Namespaces: int,
    Pods: int,
    LocalPods: int,
    Held: int,
    Changes: int,
    Errors: int,
    Awaited: slice(string),
    Trouble: pointer(
      struct<NonNullable<PolicyReport["Trouble"]>>("PolicyTrouble", {
        Code: string,
        Message: string,
        Remedy: string,
        Since: string,
      }),
    ),
    Standing: pointer(
      struct<NonNullable<PolicyReport["Standing"]>>("PolicyStanding", {
        Cut: int,
        Trouble: string,
        Remedy: string,
      }),
    ),
    Faults: slice(string),
    NotEnforcing: slice(string),
  },
  { additions: ["Awaited", "Trouble", "Standing", "NotEnforcing"] },
);

const kubernetesType = struct<KubernetesReport>("KubernetesReport", {
  Node: string,
  Policy: bool,
  Awaited: slice(string),
  Tasks: slice(
    struct<KubernetesTaskReport>("KubernetesTaskReport", {
      Name: string,
      Done: bool,
      Since: string,
      Code: string,
      Message: string,
      Remedy: string,
    }),
  ),
  Watches: slice(
    struct<KubernetesWatchReport>("KubernetesWatchReport", {
      Resource: string,
      Phase: string,
      Synced: bool,
      Objects: int,
      Heard: string,
      LastError: string,
      LastErrorAt: string,
    }),
  ),
  Reclaim: struct<KubernetesReport["Reclaim"]>("KubernetesReclaim", {
    Standing: string,
    Gone: int,
    Reclaimed: int,
    Trouble: string,
  }),
});

const proxyType = struct<ProxyReport>(
  "ProxyReport",
  { Addresses: slice(string), Problems: slice(string) },
  { additions: ["Problems"] },
);

const pluginType = struct<PluginReport>(
  "PluginReport",
  {
    Config: struct<PluginReport["Config"]>("PluginConfig", {
      Socket: string,
      MeshSocket: string,
      Enable: bool,
      EnableV2: bool,
      EnableV2Multicast: bool,
      DNS: bool,
      DefaultSubnet: string,
      ProcPath: string,
    }),
    DriverName: string,
    MeshDriverName: string,
    Networks: slice(
      struct<PluginNetworkReport>("PluginNetworkReport", {
        ID: string,
        Driver: string,
        Subnet: string,
        Multicast: bool,
        Isolated: bool,
        Endpoints: int,
      }),
    ),
    Problems: slice(string),
  },
  { additions: ["Networks", "Problems"] },
);

/** A service that is off is a nil pointer: false to `if`, and an error to look into. */
export const reportType = struct<Report>(
  "Report",
  {
    Ready: bool,
    Version: string,
    VersionCheck: versionCheckType,
    Router: routerType,
    IPAM: pointer(ipamType),
    DNS: pointer(dnsType),
    Kubernetes: pointer(kubernetesType),
    Policy: pointer(policyType),
    Docker: pointer(dockerType),
    Proxy: pointer(proxyType),
    Plugin: pointer(pluginType),
    Events: pointer(eventsType),
    Tracing: pointer(tracingType),
  },
  { additions: ["Kubernetes", "Policy", "Docker", "Proxy", "Plugin", "Events", "Tracing"] },
);
