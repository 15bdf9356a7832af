/**
 * What happens on a host and its network, as far as its router knows: for people who ask what became
 * of something, for programs that follow, and for an audit. Kinds keep their names and the meaning of
 * their details between releases; the sentences may change.
 */
export interface EventDetails {
  readonly "router.started": { readonly version: string; readonly name: string };
  readonly "router.stopping": object;
  readonly "peer.appeared": PeerDetails;
  readonly "peer.gone": PeerDetails;
  readonly "link.connected": PeerDetails;
  readonly "link.established": PeerDetails;
  readonly "link.lost": PeerDetails & { readonly code: string; readonly reason: string };
  readonly "gossip.refused": {
    readonly peer: string;
    readonly channel: string;
    readonly code: string;
    readonly reason: string;
  };
  readonly "target.added": { readonly peers: readonly string[]; readonly replace: boolean };
  readonly "target.forgotten": { readonly peers: readonly string[] };
  readonly "range.takenOver": { readonly peer: string; readonly addresses: number };
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
  readonly "host.mended": { readonly what: string };
  readonly "events.skipped": { readonly kind: string; readonly count: number };
}

interface PeerDetails {
  /** A peer name. */
  readonly peer: string;
  readonly nickname: string;
}

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

export type NetworkEvent = EventNews & {
  /** Grows by one from event to event, also over restarts of the router. */
  readonly id: number;
  /** Milliseconds since 1970. */
  readonly atMs: number;
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
}

export function isWanted(event: NetworkEvent, { afterId, sinceMs, kinds }: EventQuery): boolean {
  if (afterId !== undefined && event.id <= afterId) return false;
  if (sinceMs !== undefined && event.atMs < sinceMs) return false;
  if (kinds === undefined) return true;
  return kinds.some((kind) => event.kind === kind || event.kind.startsWith(`${kind}.`));
}

/** For whoever has nobody to tell. */
export const noEvents: EventSink = () => {};

type Kinds = {
  readonly [Kind in EventKind]: {
    readonly meaning: string;
    /** In the order in which documents list them. */
    readonly details: readonly (keyof EventDetails[Kind])[];
    readonly say: (details: EventDetails[Kind]) => string;
  };
};

const peerOf = ({ peer, nickname }: PeerDetails): string => `${peer}(${nickname})`;
const listed = (words: readonly string[]): string => (words.length > 0 ? words.join(", ") : "none");

/** Every kind: what it stands for, and how it reads. */
export const eventKinds: Kinds = {
  "router.started": {
    meaning: "The router of this host is ready.",
    details: ["version", "name"],
    say: ({ version, name }) => `the router has started: weave ${version}, peer ${name}`,
  },
  "router.stopping": {
    meaning: "It stops, or another process takes its place.",
    details: [],
    say: () => "the router stops",
  },
  "peer.appeared": {
    meaning: "A peer of the cluster is heard of that was not known.",
    details: ["peer", "nickname"],
    say: (details) => `peer ${peerOf(details)} has appeared`,
  },
  "peer.gone": {
    meaning: "Nothing leads to a peer any more; its names are forgotten.",
    details: ["peer", "nickname"],
    say: (details) => `peer ${peerOf(details)} is gone`,
  },
  "link.connected": {
    meaning: "A neighbour has introduced itself, and its overlay is being made.",
    details: ["peer", "nickname"],
    say: (details) => `connected with ${peerOf(details)}`,
  },
  "link.established": {
    meaning: "Frames can go to a neighbour.",
    details: ["peer", "nickname"],
    say: (details) => `link to ${peerOf(details)} established`,
  },
  "link.lost": {
    meaning: "The connection to a neighbour has ended; `reason` says why.",
    details: ["peer", "nickname", "code", "reason"],
    say: (details) => `link to ${peerOf(details)} lost: ${details.reason}`,
  },
  "gossip.refused": {
    meaning: "Something that a peer told could not be taken.",
    details: ["peer", "channel", "code", "reason"],
    say: ({ peer, channel, reason }) => `refused what ${peer} told on ${channel}: ${reason}`,
  },
  "target.added": {
    meaning: "Somebody asked for connections to these hosts; with `replace`, and to no others.",
    details: ["peers", "replace"],
    say: ({ peers, replace }) => `${replace ? "only " : ""}to connect to: ${listed(peers)}`,
  },
  "target.forgotten": {
    meaning: "Somebody asked to connect to these hosts no more.",
    details: ["peers"],
    say: ({ peers }) => `not to connect any more to: ${listed(peers)}`,
  },
  "range.takenOver": {
    meaning: "Addresses of a peer that is gone for good were taken over by this one.",
    details: ["peer", "addresses"],
    say: ({ peer, addresses }) => `took over ${addresses} addresses of ${peer}`,
  },
  "container.attached": {
    meaning: "A container of this host is on the network.",
    details: ["container", "addresses"],
    say: ({ container, addresses }) => `attached ${container} with ${listed(addresses)}`,
  },
  "container.detached": {
    meaning: "A container of this host was taken off the network, or lost some of its addresses.",
    details: ["container", "addresses"],
    say: ({ container, addresses }) => `detached ${container} from ${listed(addresses)}`,
  },
  "container.gone": {
    meaning: "A container is no more; its addresses and names are free.",
    details: ["container"],
    say: ({ container }) => `container ${container} is gone`,
  },
  "bridge.exposed": {
    meaning: "This host itself has addresses on the network.",
    details: ["addresses", "masquerade"],
    say: ({ addresses, masquerade }) =>
      `exposed this host as ${listed(addresses)}${masquerade ? "" : ", without masquerading"}`,
  },
  "bridge.hidden": {
    meaning: "This host has given up addresses on the network.",
    details: ["addresses"],
    say: ({ addresses }) => `hid ${listed(addresses)} of this host`,
  },
  "name.added": {
    meaning: "This router answers for one more name.",
    details: ["name", "container", "address"],
    say: ({ name, container, address }) => `name ${name} is ${address} (${container})`,
  },
  "name.removed": {
    meaning: "Names that match all that is said were removed.",
    details: ["name", "container", "address"],
    say: ({ name, container, address }) =>
      `removed ${name === undefined ? "names" : `name ${name}`}` +
      `${container === undefined ? "" : ` of ${container}`}${address === undefined ? "" : ` at ${address}`}`,
  },
  "host.mended": {
    meaning: "Somebody had changed or deleted something that the router needs; it is back.",
    details: ["what"],
    say: ({ what }) => `mended: ${what}`,
  },
  "events.skipped": {
    meaning: "So many of a kind came at once that some were not kept.",
    details: ["kind", "count"],
    say: ({ kind, count }) => `${count} more of ${kind} were not kept`,
  },
};

/** One line about it, without time. */
export function eventText(event: EventNews): string {
  return sentence(event.kind, event.details as never);
}

function sentence<Kind extends EventKind>(kind: Kind, details: EventDetails[Kind]): string {
  return eventKinds[kind].say(details);
}
