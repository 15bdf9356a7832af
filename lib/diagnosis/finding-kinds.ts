/**
 * Every kind of finding: its code, which never changes its meaning, how much it matters, and what is
 * to be done about it in general. docs/doctor.md is made from this table.
 */
interface FindingKind {
  readonly severity: "error" | "warning" | "note";
  /** What it means, as a sentence for docs/doctor.md. */
  readonly meaning: string;
  /** What to do, as a sentence; a finding may know better. */
  readonly remedy: string;
}

function kinds<Codes extends string>(
  table: Readonly<Record<Codes, FindingKind>>,
): Readonly<Record<Codes, FindingKind>> {
  return table;
}

const hostKinds = kinds({
  ROUTER_ABSENT: {
    severity: "note",
    meaning: "No router runs on this host, and none has left anything behind.",
    remedy: "start one",
  },
  ROUTER_STOPPED: {
    severity: "warning",
    meaning: "No router runs, though this host belongs to a cluster: there is state of one.",
    remedy: "start it again with the options it had; the peers it knew need not be named",
  },
  ROUTER_SILENT: {
    severity: "error",
    meaning: "The router's process is there, but does not answer.",
    remedy: "look at its log, then start it again",
  },
  BRIDGE_FOREIGN: {
    severity: "error",
    meaning:
      "The bridge's name, or the datapath's, belongs to a device of another kind: of another program, or of the wiring of another release.",
    remedy: "remove the device, or launch with another --weave-bridge",
  },
  BRIDGE_DOWN: {
    severity: "error",
    meaning: "The bridge to which containers are attached is switched off.",
    remedy: "put it up",
  },
  PORT_TAKEN: {
    severity: "error",
    meaning: "Another program has a port that the router needs.",
    remedy: "stop that program, or launch with another --port",
  },
  FIREWALL_DROPS: {
    severity: "error",
    meaning: "A rule of this host drops packets between routers.",
    remedy: "let them pass before that rule",
  },
  FIREWALL_MAY_DROP: {
    severity: "note",
    meaning:
      "A rule names a port of the router and drops packets, on a condition that cannot be judged from outside.",
    remedy: "see whether the condition holds for packets between routers",
  },
  FORWARD_DROPS: {
    severity: "error",
    meaning:
      "A rule of this host drops what containers send each other, because the kernel shows bridged frames to the filter (bridge-nf-call-iptables).",
    remedy: "let frames of the bridge pass before that rule",
  },
  IPTABLES_MIXED: {
    severity: "warning",
    meaning:
      "There are rules of iptables-legacy while `iptables` speaks nf_tables, or the other way round: each packet passes both, and each tool shows half.",
    remedy: "move the rules to one of the two",
  },
  ROUTE_OVERLAP: {
    severity: "warning",
    meaning: "The host has a route to addresses of containers that does not lead to the bridge.",
    remedy: "remove the route, or launch all hosts with another --ipalloc-range",
  },
  UNDERLAY_MTU: {
    severity: "warning",
    meaning: "The network device towards a peer is too small for frames of the fast datapath.",
    remedy: "raise the device's MTU, or launch all hosts with a smaller --mtu",
  },
  DATAPATH_NONE: {
    severity: "warning",
    meaning: "No fast datapath can run on this kernel: sleeve carries all frames in user space.",
    remedy:
      "see docs/fastdp.md for what the kernel has to have; launch with --no-fastdp where it is to be so",
  },
  MACHINE_ID_MISSING: {
    severity: "note",
    meaning:
      "The machine has no id, so the peer name cannot be made from it and is random when state and bridge are lost.",
    remedy: "give the machine an id",
  },
  UNEXAMINED: {
    severity: "note",
    meaning: "Something could not be looked at.",
    remedy: "run the command as root, with the programs it names installed",
  },
});

const clusterKinds = kinds({
  NAME_COLLISION: {
    severity: "error",
    meaning:
      "Another host has this host's peer name, as clones of one machine with one machine-id have: they can never connect.",
    remedy: "launch one of the two under another name, with the options it had",
  },
  NICKNAME_SHARED: {
    severity: "note",
    meaning: "Several peers have one nickname, so that commands cannot tell them apart by it.",
    remedy: "use peer names, or launch them with other --nickname",
  },
  LINK_FAILED: {
    severity: "error",
    meaning: "A host that was asked for cannot be reached.",
    remedy: "run 'weave doctor' there; forget the host if it is gone for good",
  },
  LINK_ONE_WAY: {
    severity: "error",
    meaning: "What a host sends arrives here, but what this host sends does not arrive there.",
    remedy:
      "find what drops packets on the way from this host to that one, or sends them a way from which they do not arrive",
  },
  LINK_PENDING: {
    severity: "error",
    meaning: "A peer is reached by TCP, but frames do not get through by UDP.",
    remedy: "open the router's UDP ports on all hosts and between them; run 'weave doctor' there",
  },
  LINK_DEGRADED: {
    severity: "warning",
    meaning: "Frames take a slower overlay, though both peers have a better one.",
    remedy: "open the UDP port of the fast datapath on all hosts and between them",
  },
  LINK_LOSES: {
    severity: "warning",
    meaning:
      "Of at least 1000 frames of the last minute more than 1 % did not arrive at the other end of a link.",
    remedy:
      "look for drops and errors of the network devices at both ends and of what is between them, and whether one of both hosts is overloaded",
  },
  PATH_MTU_SMALL: {
    severity: "warning",
    meaning:
      "Somewhere on the way to a peer packets have to be smaller than its first device carries.",
    remedy: "find the place where they shrink and raise the MTU there, or run 'weave doctor' there",
  },
  PEER_UNREACHABLE: {
    severity: "error",
    meaning: "No chain of established connections leads to a peer.",
    remedy: "connect to it, or to a peer that has a connection to it",
  },
  RANGE_DIFFERS: {
    severity: "error",
    meaning: "A peer was launched with another address range: it cannot get or give addresses.",
    remedy: "launch all peers with the same --ipalloc-range",
  },
  RING_CONFLICT: {
    severity: "error",
    meaning:
      "A peer has another opinion of who owns which addresses, as two clusters that met have.",
    remedy: "reset the peers of the smaller cluster and launch them again",
  },
  OWNER_GONE: {
    severity: "warning",
    meaning: "A peer that is not there owns addresses, which nobody else can give out.",
    remedy: "bring the peer back, or take its addresses over if it is gone for good",
  },
  LEASE_LOST: {
    severity: "error",
    meaning: "Most peers have not been reached for too long: no new addresses are given out.",
    remedy:
      "bring the other peers back, or take over the addresses of those that are gone for good",
  },
  NO_QUORUM: {
    severity: "warning",
    meaning: "Not enough peers are there yet to agree on who owns which addresses.",
    remedy: "connect to more peers, or launch with the right --ipalloc-init",
  },
  STATE_UNSAVED: {
    severity: "error",
    meaning: "The router cannot store its state: no address is given out.",
    remedy: "make room on the disk of WEAVE_STATE_DIR",
  },
  CLOCK_SKEW: {
    severity: "error",
    meaning:
      "The clock of a peer, or of this host, is so far off that its names are not taken, or will not be soon: 10 minutes or more.",
    remedy: "set the clocks of both hosts",
  },
  CLOCK_OFF: {
    severity: "warning",
    meaning: "The clock of a neighbour, or of this host, is off by 30 s or more.",
    remedy: "set the clocks of both hosts, and have them kept by NTP",
  },
  REFUSED: {
    severity: "warning",
    meaning: "Something that a peer told could not be taken.",
    remedy: "update the peer",
  },
});

const containerKinds = kinds({
  CONTAINER_DETACHED: {
    severity: "error",
    meaning:
      "A container has no interface on the bridge, though it holds an address or was asked for.",
    remedy: "attach it again: it gets the address it had",
  },
  ENGINE_UNHEARD: {
    severity: "warning",
    meaning:
      "The router does not hear what becomes of a Docker engine's containers: the engine has gone, or refuses to be asked.",
    remedy: "start the engine, or stop the router and launch it without (--docker-api '')",
  },
  CONTAINER_WAITS: {
    severity: "error",
    meaning:
      "A container of the engine was started and its command does not run: it waits for an interface that the router cannot give it.",
    remedy: "see the reason that is given, and the router's log",
  },
  INTERFACE_DOWN: {
    severity: "error",
    meaning: "One end of a container's interface is switched off.",
    remedy: "put it up",
  },
  ADDRESS_MISSING: {
    severity: "error",
    meaning: "A container's interface lacks an address that the container holds.",
    remedy: "give it back to the interface",
  },
  ADDRESS_DOUBLE: {
    severity: "error",
    meaning: "Two containers have one address.",
    remedy: "take it away from one of them",
  },
  ROUTE_MISSING: {
    severity: "error",
    meaning: "A container has an address and no route over its interface to the subnet around it.",
    remedy: "add the route",
  },
  SUBNET_FOREIGN: {
    severity: "error",
    meaning:
      "A container has no address in the subnet of the other one: containers of different subnets do not reach each other.",
    remedy: "attach both with addresses of one subnet",
  },
  MTU_TOO_LARGE: {
    severity: "warning",
    meaning: "A container's interface takes larger packets than the bridge: they are lost.",
    remedy: "lower its MTU",
  },
  NEIGHBOUR_WRONG: {
    severity: "error",
    meaning: "A container sends frames for an address to the MAC address of somebody else.",
    remedy: "have it ask anew",
  },
  NEIGHBOUR_FIXED: {
    severity: "warning",
    meaning:
      "Somebody told a container for ever which MAC address an address has, and nobody has it.",
    remedy: "have it ask instead",
  },
  NEIGHBOUR_SILENT: {
    severity: "warning",
    meaning: "Nobody answered when a container asked who has an address.",
    remedy: "see whether the container with that address runs, and is attached",
  },
  POLICY_NOT_ENFORCED: {
    severity: "error",
    meaning:
      "Policies are not enforced on this host, and nothing new is attached while that is so.",
    remedy: "see the reason, and the router's log",
  },
  POLICY_WAITING: {
    severity: "warning",
    meaning:
      "Not everything that policies are made of is known yet: what an earlier run has put in place holds, and new pods wait.",
    remedy: "see that the API server can be reached from this host",
  },
  POLICY_UNREADABLE: {
    severity: "warning",
    meaning: "Something in a policy is not understood, and less is allowed for it.",
    remedy: "correct the policy and apply it again",
  },
  POLICY_HOST_IDLE: {
    severity: "warning",
    meaning:
      "There are policies, and a host of the network does not enforce them: it runs the original, or was launched with --policy off. What its containers receive is judged by nobody.",
    remedy: "launch this version there, without --policy off",
  },
  POLICY_STANDING: {
    severity: "error",
    meaning:
      "Connections that policies do not allow any more go on, though --policy-standing cut asks for their end. Policies hold for all that begin.",
    remedy:
      "load the kernel's module nf_conntrack_netlink and start the router again, or launch it with --policy-standing keep",
  },
  POLICY_BLOCKS: {
    severity: "note",
    meaning: "A policy has blocked something within the last ten minutes, as it may be meant to.",
    remedy:
      "ask 'weave policy explain' which rule decides, and change that policy if it should pass",
  },
  POLICY_DENIES: {
    severity: "warning",
    meaning: "Policies let no ping pass between two containers; they may let a port.",
    remedy: "ask 'weave policy explain' for the port that is meant, and change the policy it names",
  },
  ADDRESS_UNKNOWN: {
    severity: "error",
    meaning: "Nobody that is known here has this address or name.",
    remedy: "'weave ps' on each host and 'weave status dns' show who has which",
  },
});

export const findingKinds = { ...hostKinds, ...clusterKinds, ...containerKinds };

export type FindingCode = keyof typeof findingKinds;

export const findingCodes = Object.keys(findingKinds) as readonly FindingCode[];

/** The chapters of docs/doctor.md. */
export const findingChapters: ReadonlyArray<{
  readonly title: string;
  readonly kinds: Readonly<Record<string, FindingKind>>;
}> = [
  { title: "This host", kinds: hostKinds },
  { title: "Peers and the links to them", kinds: clusterKinds },
  { title: "Containers", kinds: containerKinds },
];
