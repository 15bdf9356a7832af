/**
 * What happens on a host and its network, as far as its router knows: for people who ask what became
 * of something, for programs that follow, and for an audit. Kinds keep their names and the meaning of
 * their details between releases; the sentences may change.
 */
export interface EventDetails {
  readonly "router.started": { readonly version: string; readonly name: string };
  readonly "router.stopping": object;
  readonly "router.adopted": { readonly from: string };
  readonly "router.upgrading": object;
  readonly "router.leaving": object;
  readonly "state.restored": { readonly savedAt: string; readonly ranges: boolean };
  readonly "peer.appeared": PeerDetails;
  readonly "peer.gone": PeerDetails;
  readonly "link.connected": PeerDetails;
  readonly "link.established": PeerDetails;
  readonly "link.lost": PeerDetails & { readonly code: string; readonly reason: string };
  readonly "link.overlay": PeerDetails & {
    readonly overlay: string;
    readonly before: string;
    readonly degraded: boolean;
    readonly reason: string;
  };
  readonly "link.mtu": PeerDetails & { readonly overlay: string; readonly mtu: number };
  readonly "gossip.refused": {
    readonly peer: string;
    readonly channel: string;
    readonly code: string;
    readonly reason: string;
  };
  readonly "ring.conflict": RingDetails;
  readonly "ring.split": RingDetails;
  readonly "target.added": { readonly peers: readonly string[]; readonly replace: boolean };
  readonly "target.forgotten": { readonly peers: readonly string[] };
  readonly "range.takenOver": { readonly peer: string; readonly addresses: number };
  readonly "peer.removed": {
    readonly peer: string;
    readonly force: boolean;
    readonly addresses: number;
  };
  readonly "address.allocated": AddressDetails;
  readonly "address.claimed": AddressDetails;
  readonly "address.released": AddressDetails;
  readonly "container.attached": ContainerDetails;
  readonly "container.detached": ContainerDetails;
  readonly "container.gone": { readonly container: string };
  readonly "bridge.exposed": {
    readonly addresses: readonly string[];
    readonly masquerade: boolean;
  };
  readonly "bridge.hidden": { readonly addresses: readonly string[] };
  readonly "name.added": NameDetails;
  readonly "name.removed": Partial<NameDetails>;
  readonly "policy.applied": SaidPolicyDetails & { readonly change: "created" | "changed" };
  readonly "policy.deleted": SaidPolicyDetails;
  readonly "policy.phase": {
    readonly phase: string;
    readonly code: string;
    readonly reason: string;
  };
  readonly "policy.blocked": {
    readonly policy: string;
    readonly direction: string;
    readonly protocol: string;
    readonly source: string;
    readonly destination: string;
    readonly port: number | null;
  };
  readonly "policy.cut": { readonly count: number; readonly flows: readonly string[] };
  readonly "host.mended": { readonly what: string };
  readonly "events.skipped": { readonly kind: string; readonly count: number };
}

interface PeerDetails {
  /** A peer name. */
  readonly peer: string;
  readonly nickname: string;
}

interface RingDetails {
  /** Who told of another ring. */
  readonly peer: string;
  readonly code: string;
  readonly reason: string;
}

interface AddressDetails {
  /** Who holds it: as in {@link ContainerDetails}, or the bridge, or the address itself for nobody. */
  readonly container: string;
  /** With its prefix length. */
  readonly address: string;
}

interface PolicyDetails {
  /** As its document says it: `NetworkPolicy`, … */
  readonly kind: string;
  /** Empty for what is in none. */
  readonly namespace: string;
  readonly name: string;
}

/** `peer` is where somebody said it; both are empty for a policy that a cluster's API server has. */
type SaidPolicyDetails = PolicyDetails & PeerDetails;

interface ContainerDetails {
  /** As the router knows it: an id, or what a namespace was called. */
  readonly container: string;
  /** Each with its prefix length. */
  readonly addresses: readonly string[];
}

interface NameDetails {
  readonly name: string;
  /** Whose name it is. */
  readonly container: string;
  readonly address: string;
}

export type EventKind = keyof EventDetails;

/** What whoever makes something happen says of it. */
export type EventNews = {
  readonly [Kind in EventKind]: { readonly kind: Kind; readonly details: EventDetails[Kind] };
}[EventKind];

/**
 * Who asked. `cli` and `cni` are commands and plugins of ours, which say themselves who runs them; on
 * the unix socket that is root, or who root lets in. `api` is anything else there, `tcp` anybody who
 * may connect to the control address. `proxy`, `plugin` and `engine` are requests to the Docker API,
 * of Docker's network plugin, and containers that an engine has started or ended. `kube` is the agent
 * of a node.
 */
export interface Caller {
  readonly kind: CallerKind;
  /** Who logged in at the machine, as the command says it. */
  readonly user?: string;
  /** Of the process, as it sees it itself. */
  readonly pid?: number;
}

export type CallerKind = "cli" | "cni" | "api" | "tcp" | "proxy" | "plugin" | "engine" | "kube";

export type NetworkEvent = EventNews & {
  /** Grows by one from event to event, also over restarts of the router. */
  readonly id: number;
  /** Milliseconds since 1970. */
  readonly atMs: number;
  /** Of what somebody asked for; absent for what nobody did, or nobody knows who. */
  readonly by?: Caller;
};

/** Takes what has happened. Never fails, and costs its caller next to nothing. */
export type EventSink = <Kind extends EventKind>(kind: Kind, details: EventDetails[Kind]) => void;

/** Which events somebody wants to know of; what is missing is wanted whatever it is. */
export interface EventQuery {
  /** Only events after this one. */
  readonly afterId?: number | undefined;
  /** Only events at or after this time, in ms since 1970. */
  readonly sinceMs?: number | undefined;
  /** Only these kinds: whole ones, or what stands before the dot. */
  readonly kinds?: readonly string[] | undefined;
  /** Only what is about one of these containers: ids, or their beginnings. */
  readonly containers?: readonly string[] | undefined;
  /** Only what is about one of these peers: names or nicknames. */
  readonly peers?: readonly string[] | undefined;
}

export function isWanted(event: NetworkEvent, query: EventQuery): boolean {
  const { afterId, sinceMs, kinds, containers, peers } = query;
  if (afterId !== undefined && event.id <= afterId) return false;
  if (sinceMs !== undefined && event.atMs < sinceMs) return false;
  const details: Readonly<Record<string, unknown>> = { ...event.details };
  const container = String(details.container ?? "");
  return (
    isAnyOf(kinds, (kind) => event.kind === kind || event.kind.startsWith(`${kind}.`)) &&
    isAnyOf(containers, (start) => start !== "" && container.startsWith(start)) &&
    isAnyOf(peers, (name) => name === details.peer || name === details.nickname)
  );
}

function isAnyOf(wanted: readonly string[] | undefined, is: (each: string) => boolean): boolean {
  return wanted === undefined || wanted.some(is);
}

/** For whoever has nobody to tell. */
export const noEvents: EventSink = () => {};
