import * as v from "valibot";

/**
 * The part of the router's report (http-api §5) that the command line reads. Go writes an empty
 * list as `null`; a service that is off has no member.
 */
const list = <Item extends v.GenericSchema>(item: Item) => v.nullish(v.array(item), []);

const lossWayModel = v.object({
  Frames: v.number(),
  Lost: v.number(),
  Share: v.nullable(v.number()),
});

const connectionModel = v.object({
  Address: v.string(),
  Outbound: v.boolean(),
  State: v.string(),
  Info: v.string(),
  Attrs: v.nullish(v.record(v.string(), v.union([v.string(), v.number(), v.boolean()]))),
  Extensions: list(v.string()),
  RoundTripMs: v.optional(v.number()),
  ClockOffsetMs: v.optional(v.number()),
  Reason: v.optional(v.string()),
  Remedy: v.optional(v.string()),
  Loss: v.optional(v.object({ Seconds: v.number(), To: lossWayModel, From: lossWayModel })),
});

const peerModel = v.object({
  Name: v.string(),
  NickName: v.string(),
  Connections: list(
    v.object({
      Name: v.string(),
      NickName: v.string(),
      Address: v.string(),
      Outbound: v.boolean(),
      Established: v.boolean(),
    }),
  ),
});

const routerModel = v.object({
  ProtocolMinVersion: v.number(),
  ProtocolMaxVersion: v.number(),
  Encryption: v.boolean(),
  PeerDiscovery: v.boolean(),
  Name: v.string(),
  NickName: v.string(),
  Port: v.number(),
  Peers: list(peerModel),
  Connections: list(connectionModel),
  Targets: list(v.string()),
  UnicastRoutes: list(v.object({ Dest: v.string(), Via: v.string() })),
  TrustedSubnets: list(v.string()),
  Refusals: list(
    v.object({
      Channel: v.string(),
      Peer: v.string(),
      NickName: v.string(),
      Count: v.number(),
      Message: v.string(),
      Remedy: v.string(),
      Last: v.string(),
    }),
  ),
});

const ipamModel = v.object({
  Range: v.string(),
  RangeNumIPs: v.number(),
  ActiveIPs: v.number(),
  DefaultSubnet: v.string(),
  Entries: list(
    v.object({
      Size: v.number(),
      Peer: v.string(),
      Nickname: v.string(),
      IsKnownPeer: v.boolean(),
    }),
  ),
  Conflicts: v.optional(
    v.array(
      v.object({ Peer: v.string(), Nickname: v.string(), Message: v.string(), Remedy: v.string() }),
    ),
  ),
  Reclaim: v.optional(
    v.object({
      AfterSeconds: v.number(),
      Members: v.array(v.string()),
      MayAllocate: v.boolean(),
      LeaseLeftSeconds: v.nullable(v.number()),
    }),
  ),
});

const dnsModel = v.object({
  Domain: v.string(),
  Upstream: list(v.string()),
  Address: v.string(),
  TTL: v.number(),
  Entries: list(
    v.object({
      Hostname: v.string(),
      Origin: v.string(),
      ContainerID: v.string(),
      Address: v.string(),
      Tombstone: v.number(),
    }),
  ),
});

const policyModel = v.object({
  Status: v.string(),
  Source: v.string(),
  Enforcer: v.string(),
  Policies: v.number(),
  ClusterPolicies: v.number(),
  Pods: v.number(),
  LocalPods: v.number(),
  Held: v.number(),
  Faults: list(v.string()),
  NotEnforcing: list(v.string()),
  Trouble: v.optional(v.object({ Message: v.string(), Remedy: v.string() })),
  Standing: v.optional(v.object({ Cut: v.number(), Trouble: v.string(), Remedy: v.string() })),
});

const kubernetesModel = v.object({
  Node: v.string(),
  Policy: v.boolean(),
  Awaited: list(v.string()),
  Watches: list(v.object({ Resource: v.string(), Phase: v.string(), LastError: v.string() })),
  Reclaim: v.object({ Standing: v.string(), Gone: v.number(), Reclaimed: v.number() }),
});

export const reportModel = v.object({
  Ready: v.boolean(),
  Version: v.string(),
  Router: routerModel,
  IPAM: v.optional(ipamModel),
  DNS: v.optional(dnsModel),
  Policy: v.optional(policyModel),
  Kubernetes: v.optional(kubernetesModel),
});

export type ReportModel = v.InferOutput<typeof reportModel>;
