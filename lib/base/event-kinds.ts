import type { EventDetails, EventKind, EventNews } from "./network-event.ts";

type Kinds = {
  readonly [Kind in EventKind]: {
    readonly meaning: string;
    /** In the order in which documents list them. */
    readonly details: readonly (keyof EventDetails[Kind])[];
    readonly say: (details: EventDetails[Kind]) => string;
    /** Somebody may have asked for it, who is told of in `by`. */
    readonly isAsked?: true;
    /** Something to look at; all other kinds are the ordinary course of things. */
    readonly isTrouble?: true;
  };
};

const peerOf = ({ peer, nickname }: EventDetails["peer.gone"]): string => `${peer}(${nickname})`;
const policyOf = ({ kind, namespace, name, ...where }: EventDetails["policy.deleted"]): string =>
  `${kind} ${namespace === "" ? "" : `${namespace}/`}${name}` +
  `${where.peer === "" ? "" : ` at ${peerOf(where)}`}`;
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
  "router.adopted": {
    meaning: "This router took the place of one of Weave Net 2.x on this host.",
    details: ["from"],
    say: ({ from }) => `took over this host from ${from}`,
    isAsked: true,
  },
  "router.upgrading": {
    meaning: "Somebody asked for another process to take this one's place.",
    details: [],
    say: () => "another process is to take the place of this one",
    isAsked: true,
  },
  "router.leaving": {
    meaning: "Somebody asked for this host to leave the cluster for good.",
    details: [],
    say: () => "this host leaves the cluster",
    isAsked: true,
  },
  "state.restored": {
    meaning: "The state is that of a snapshot, saved at `savedAt`; with `ranges`, its ranges too.",
    details: ["savedAt", "ranges"],
    say: ({ savedAt, ranges }) =>
      `the state is that of a snapshot of ${savedAt}${ranges ? ", with its ranges" : ""}`,
    isAsked: true,
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
    isTrouble: true,
  },
  "link.overlay": {
    meaning:
      "Frames to a neighbour take another way; `degraded` when a better one is there and does not work.",
    details: ["peer", "nickname", "overlay", "before", "degraded", "reason"],
    say: (details) =>
      `frames to ${peerOf(details)} take ${details.overlay} instead of ${details.before}: ${details.reason}`,
  },
  "link.mtu": {
    meaning:
      "It was found out, or has changed, how large packets to a neighbour may be by the overlay that carries them.",
    details: ["peer", "nickname", "overlay", "mtu"],
    say: (details) =>
      `packets to ${peerOf(details)} by ${details.overlay} may have ${details.mtu} octets`,
  },
  "gossip.refused": {
    meaning: "Something that a peer told could not be taken.",
    details: ["peer", "channel", "code", "reason"],
    say: ({ peer, channel, reason }) => `refused what ${peer} told on ${channel}: ${reason}`,
    isTrouble: true,
  },
  "ring.conflict": {
    meaning: "A peer says of addresses that are in use here that they are another's.",
    details: ["peer", "code", "reason"],
    say: ({ peer, reason }) => `the ring of ${peer} contradicts ours: ${reason}`,
    isTrouble: true,
  },
  "ring.split": {
    meaning: "A peer has a ring of other addresses, or one that was begun apart from ours.",
    details: ["peer", "code", "reason"],
    say: ({ peer, reason }) => `${peer} has another ring: ${reason}`,
    isTrouble: true,
  },
  "target.added": {
    meaning: "Somebody asked for connections to these hosts; with `replace`, and to no others.",
    details: ["peers", "replace"],
    say: ({ peers, replace }) => `${replace ? "only " : ""}to connect to: ${listed(peers)}`,
    isAsked: true,
  },
  "target.forgotten": {
    meaning: "Somebody asked to connect to these hosts no more.",
    details: ["peers"],
    say: ({ peers }) => `not to connect any more to: ${listed(peers)}`,
    isAsked: true,
  },
  "range.takenOver": {
    meaning: "Addresses of a peer that is gone for good were taken over by this one.",
    details: ["peer", "addresses"],
    say: ({ peer, addresses }) => `took over ${addresses} addresses of ${peer}`,
    isAsked: true,
  },
  "peer.removed": {
    meaning:
      "Somebody asked for the addresses of a peer that is gone; `addresses` says how many came.",
    details: ["peer", "force", "addresses"],
    say: ({ peer, force, addresses }) =>
      `asked for the addresses of ${peer}${force ? " by force" : ""}: ${addresses} came`,
    isAsked: true,
  },
  "address.allocated": {
    meaning: "An address was given to a container, or to this host.",
    details: ["container", "address"],
    say: ({ container, address }) => `${container} was given ${address}`,
    isAsked: true,
  },
  "address.claimed": {
    meaning: "A container has an address that was chosen for it, and nobody else gets it.",
    details: ["container", "address"],
    say: ({ container, address }) => `${container} has claimed ${address}`,
    isAsked: true,
  },
  "address.released": {
    meaning: "An address is free again.",
    details: ["container", "address"],
    say: ({ container, address }) => `${container} has given up ${address}`,
    isAsked: true,
  },
  "container.attached": {
    meaning: "A container of this host is on the network.",
    details: ["container", "addresses"],
    say: ({ container, addresses }) => `attached ${container} with ${listed(addresses)}`,
    isAsked: true,
  },
  "container.detached": {
    meaning: "A container of this host was taken off the network, or lost some of its addresses.",
    details: ["container", "addresses"],
    say: ({ container, addresses }) => `detached ${container} from ${listed(addresses)}`,
    isAsked: true,
  },
  "container.gone": {
    meaning: "A container is no more; its addresses and names are free.",
    details: ["container"],
    say: ({ container }) => `container ${container} is gone`,
    isAsked: true,
  },
  "bridge.exposed": {
    meaning: "This host itself has addresses on the network.",
    details: ["addresses", "masquerade"],
    say: ({ addresses, masquerade }) =>
      `exposed this host as ${listed(addresses)}${masquerade ? "" : ", without masquerading"}`,
    isAsked: true,
  },
  "bridge.hidden": {
    meaning: "This host has given up addresses on the network.",
    details: ["addresses"],
    say: ({ addresses }) => `hid ${listed(addresses)} of this host`,
    isAsked: true,
  },
  "name.added": {
    meaning: "This router answers for one more name.",
    details: ["name", "container", "address"],
    say: ({ name, container, address }) => `name ${name} is ${address} (${container})`,
    isAsked: true,
  },
  "name.removed": {
    meaning: "Names that match all that is said were removed.",
    details: ["name", "container", "address"],
    say: ({ name, container, address }) =>
      `removed ${name === undefined ? "names" : `name ${name}`}` +
      `${container === undefined ? "" : ` of ${container}`}${address === undefined ? "" : ` at ${address}`}`,
    isAsked: true,
  },
  "policy.applied": {
    meaning:
      "Somebody gave `peer` a policy, or another text of one, and this host has heard of it; of a cluster, without `peer`.",
    details: ["kind", "namespace", "name", "change", "peer", "nickname"],
    say: (details) => `${details.change} ${policyOf(details)}`,
    isAsked: true,
  },
  "policy.deleted": {
    meaning: "Somebody removed a policy at `peer`; in a cluster, without `peer`.",
    details: ["kind", "namespace", "name", "peer", "nickname"],
    say: (details) => `deleted ${policyOf(details)}`,
    isAsked: true,
  },
  "policy.phase": {
    meaning: "Policies are enforced here from now on, or not: `off`, `enforcing` or `failing`.",
    details: ["phase", "code", "reason"],
    say: ({ phase, reason }) => `policies: ${phase}${reason === "" ? "" : `: ${reason}`}`,
  },
  "policy.blocked": {
    meaning: "A policy dropped a packet that would have begun a connection, or belonged to none.",
    details: ["policy", "direction", "protocol", "source", "destination", "port"],
    say: ({ policy, direction, protocol, source, destination, port }) =>
      `${policy} blocked ${protocol} from ${source} to ${destination}${port === null ? "" : `, port ${port}`} (${direction})`,
    isTrouble: true,
  },
  "policy.cut": {
    meaning:
      "`count` connections were ended, because policies do not allow them any more; `flows` names the first of them.",
    details: ["count", "flows"],
    say: ({ count, flows }) => {
      const more = count > flows.length ? `, and ${count - flows.length} more` : "";
      return `policies ended ${flows.join(", ")}${more}`;
    },
  },
  "host.mended": {
    meaning: "Somebody had changed or deleted something that the router needs; it is back.",
    details: ["what"],
    say: ({ what }) => `mended: ${what}`,
    isTrouble: true,
  },
  "events.skipped": {
    meaning: "So many of a kind came at once that some were not kept.",
    details: ["kind", "count"],
    say: ({ kind, count }) => `${count} more of ${kind} were not kept`,
    isTrouble: true,
  },
};

/** One line about it, without time. */
export function eventText(event: EventNews): string {
  return sentence(event.kind, event.details as never);
}

function sentence<Kind extends EventKind>(kind: Kind, details: EventDetails[Kind]): string {
  return eventKinds[kind].say(details);
}

/** `cli (alice, process 4711)` */
export function callerText({
  kind,
  user,
  pid,
}: {
  readonly kind: string;
  readonly user?: string | undefined;
  readonly pid?: number | undefined;
}): string {
  const more = [
    ...(user === undefined ? [] : [user]),
    ...(pid === undefined ? [] : [`process ${pid}`]),
  ];
  return more.length === 0 ? kind : `${kind} (${more.join(", ")})`;
}
