import type { Cidr, IpAddress } from "../base/ip.ts";
import type { FirewallFacts } from "./firewall/rules.ts";

/**
 * What is looked at before anything is judged: plain data, gathered in one place
 * (`lib/daemon/diagnosis`), so that every check is a function of it.
 */
export interface Facts {
  readonly setup: SetupFacts;
  readonly host: HostFacts;
  /** Missing when no router answers. */
  readonly cluster?: ClusterFacts;
  readonly containers: readonly ContainerFacts[];
  /** Why the container engine is not followed, which is there, or was; missing while it is. */
  readonly engine?: EngineFact;
  /** Containers whose commands wait for their interface; missing when no router answers. */
  readonly waiting?: readonly WaitingFact[];
  /** Missing while there is nothing to enforce. */
  readonly policy?: PolicyFacts;
  /** MAC addresses from which this host has had frames of late, its own included. */
  readonly seenMacs: ReadonlySet<string>;
}

/** How it stands with policies. */
export interface PolicyFacts {
  /** Why they are not enforced; missing while they are. */
  readonly trouble?: { readonly text: string; readonly remedy: string };
  /** Why connections that they do not allow any more go on; missing where that is as it should be. */
  readonly standing?: { readonly text: string; readonly remedy: string };
  /** Kinds of objects that have not been told yet. */
  readonly awaited: readonly string[];
  /** What of policies is not understood, a sentence each. */
  readonly faults: readonly string[];
  /** Hosts that enforce nothing. */
  readonly idle: readonly string[];
  /** What each policy has blocked of late; the latest first. */
  readonly blocked: readonly BlockedFact[];
}

export interface BlockedFact {
  /** `<namespace>/<name>`, or what a policy without namespace is called. */
  readonly policy: string;
  /** The last one: `TCP connection from 10.32.0.1:40000 to 10.32.0.2:80`. */
  readonly text: string;
  readonly from: string;
  readonly to: string;
  /** `80/tcp`, as `weave policy explain` takes it; missing where there are no ports. */
  readonly port?: string;
  /** How many of late. */
  readonly count: number;
}

export interface EngineFact {
  readonly endpoint: string;
  readonly message: string;
  /** Empty where there is none in particular. */
  readonly remedy: string;
}

/** How the router is, or would be, set up. */
export interface SetupFacts {
  readonly isRunning: boolean;
  /** Whether there is state of a router. */
  readonly hasState: boolean;
  /** Its process is there and does not answer. */
  readonly isSilent: boolean;
  /** Of TCP and sleeve; the fast datapath uses the next one. */
  readonly port: number;
  readonly bridge: string;
  readonly datapath: string;
  /** Addresses of containers; missing when allocation is off. */
  readonly range: Cidr | undefined;
  /** Whether a datapath of the kernel is to carry frames where one can. */
  readonly wantsFastdp: boolean;
}

export interface HostFacts {
  readonly devices: readonly DeviceFact[];
  readonly routes: readonly RouteFact[];
  /** At ports of the router, and not its own: those that listen; of UDP all that are bound. */
  readonly sockets: readonly SocketFact[];
  /** Hosts that have begun a connection to the router's port, and do not hear what it answers. */
  readonly halfOpen: readonly string[];
  readonly firewall: FirewallFacts;
  readonly datapath: DatapathFacts;
  readonly hasMachineId: boolean;
  /** What could not be looked at, and why. */
  readonly unexamined: readonly { readonly what: string; readonly why: string }[];
}

export interface DeviceFact {
  readonly index: number;
  readonly name: string;
  /** `bridge`, `veth`, …; empty for hardware. */
  readonly kind: string;
  readonly mac: string;
  readonly mtu: number;
  readonly up: boolean;
  readonly master: number | undefined;
}

export interface RouteFact {
  /** `undefined` for a default route. */
  readonly destination: Cidr | undefined;
  readonly gateway: IpAddress | undefined;
  readonly interfaceIndex: number | undefined;
}

export interface SocketFact {
  readonly protocol: "tcp" | "udp";
  readonly port: number;
  /** Missing for one of the kernel itself. */
  readonly owner: { readonly pid: number; readonly name: string } | undefined;
}

export interface DatapathFacts {
  /** `undefined` when sleeve carries all frames, or no router runs. */
  readonly backend: string | undefined;
  /** Why others are not used, by name; by `fastdp` for all. */
  readonly refusals: ReadonlyMap<string, string>;
}

export interface ClusterFacts {
  readonly mesh: MeshFacts;
  /** Missing when allocation is off. */
  readonly ipam: IpamFacts | undefined;
  /** The way of packets to each peer that this host has, or wants, a connection to. */
  readonly paths: readonly PathFact[];
  /** A peer name that nobody has. */
  readonly spareName: string;
  /** When this was looked at, in ms since 1970. */
  readonly nowMs: number;
}

export interface MeshFacts {
  readonly name: string;
  readonly nickname: string;
  readonly encryption: boolean;
  readonly peers: readonly PeerFact[];
  /** Over established links; `via` is ourselves for ourselves. */
  readonly unicastRoutes: readonly { readonly dest: string; readonly via: string }[];
  readonly connections: readonly ConnectionFact[];
  /** Peers it was told to connect to, as they were written. */
  readonly targets: readonly string[];
  readonly refusals: readonly {
    readonly channel: string;
    readonly peer: string;
    readonly error: { readonly code: string; readonly text: string; readonly remedy?: string };
  }[];
}

export interface PeerFact {
  readonly name: string;
  readonly nickname: string;
  readonly connections: readonly {
    readonly name: string;
    readonly nickname: string;
    readonly address: string;
    readonly established: boolean;
  }[];
}

/** What got lost within the last minute, to the other host and from it. */
export interface LossFact {
  readonly recent: { readonly to: LossTally; readonly from: LossTally };
}

export interface LossTally {
  /** That were sent. */
  readonly frames: number;
  /** Those of them that did not arrive. */
  readonly lost: number;
}

/** A connection, or an attempt to make one. */
export interface ConnectionFact {
  /** `host:port`. */
  readonly address: string;
  readonly state: string;
  readonly info: string;
  readonly peer?: { readonly name: string; readonly nickname: string };
  /** Milliseconds that the clock of the peer is ahead of ours, where it was shown. */
  readonly clockOffsetMs?: number;
  readonly attributes?: Readonly<Record<string, string | number | boolean>>;
  readonly reason?: string;
  readonly degraded?: boolean;
  readonly sinceMs?: number;
  /** Missing where nobody knows. */
  readonly loss?: LossFact;
  readonly error?: { readonly code: string; readonly text: string; readonly remedy?: string };
}

export interface PathFact {
  /** IPv4 address of the host there. */
  readonly remote: string;
  readonly device: string;
  /** What the kernel takes the path to carry: the device's MTU, or less where it was told so. */
  readonly mtu: number;
  readonly gateway: IpAddress | undefined;
}

export interface IpamFacts {
  readonly conflicts: readonly {
    readonly peer: string;
    readonly code: string;
    readonly message: string;
    readonly remedy: string | undefined;
  }[];
  readonly owners: readonly OwnerFact[];
  /** Peers that said anything and votes needed; missing once there is a ring. */
  readonly election: { readonly knownNodes: number; readonly quorum: number } | undefined;
  readonly mayAllocate: boolean;
  readonly storeError: string | undefined;
}

export interface OwnerFact {
  readonly peer: string;
  readonly nickname: string;
  readonly addresses: number;
  readonly isKnown: boolean;
}

/** A container of this host. */
export interface ContainerFacts {
  readonly ident: string;
  /** Where its namespace can be entered; missing when that could not be found. */
  readonly namespacePath: string | undefined;
  /** Missing when it has no interface on the bridge. */
  readonly port: { readonly name: string; readonly up: boolean; readonly mtu: number } | undefined;
  readonly guest: DeviceFact | undefined;
  /** What the allocator has given it. */
  readonly held: readonly Cidr[];
  /** On its interface. */
  readonly addresses: readonly Cidr[];
  readonly routes: readonly RouteFact[];
  readonly neighbours: readonly NeighbourFact[];
}

/** A container of an engine whose command does not run yet. */
export interface WaitingFact {
  /** As people call it. */
  readonly name: string;
  readonly seconds: number;
  /** Why it has no interface. */
  readonly reason: string;
  /** Empty when that is not known. */
  readonly remedy: string;
}

export interface NeighbourFact {
  readonly address: IpAddress;
  /** Empty while it is not known. */
  readonly mac: string;
  /** As ip-neighbour(8) names it: `reachable`, `stale`, `failed`, `permanent`, … */
  readonly state: string;
  /** How long that has been so, in milliseconds. */
  readonly ageMs: number;
}
