import { errorText } from "../../base/errors.ts";
import { formatIp, type HostIp } from "../../base/ip.ts";
import type { TransportProtocol } from "../../policy/objects.ts";
import type { Opening } from "../../policy/opening-verdict.ts";
import type { FlowLook, FlowTable, StandingFlow } from "../../policy/standing-flow.ts";
import { listAddresses } from "../netlink/address.ts";
import {
  type ConntrackEntry,
  type ConntrackTuple,
  connections,
  markConnection,
  masterOf,
  tcpState,
} from "../netlink/conntrack.ts";
import { openNetfilter, openRoute } from "../netlink/open.ts";
import { cutMark } from "./cut-mark.ts";

/** The flows of this host, all that its kernel keeps track of. */
export class StandingFlows implements FlowTable<TrackedFlow> {
  look(which: "all" | "cut"): FlowLook<TrackedFlow> {
    return new Look(which === "cut" ? cutMark : 0);
  }
}

interface TrackedFlow extends StandingFlow {
  readonly entry: ConntrackEntry;
}

/** One socket tells of flows part by part, and another changes them meanwhile. */
class Look implements FlowLook<TrackedFlow> {
  readonly #telling = openNetfilter();
  readonly #changing = openNetfilter();
  readonly #pages: Generator<ConntrackEntry[]>;
  readonly #own = ownAddresses();

  constructor(marked: number) {
    this.#pages = connections(this.#telling, { marked });
  }

  isOwn(address: HostIp): boolean {
    return this.#own.has(address);
  }

  next(): TrackedFlow[] | undefined {
    const { done, value } = this.#pages.next();
    return done ? undefined : value.map(flowOf);
  }

  announcer({ entry }: TrackedFlow): Opening | undefined {
    const found = masterOf(this.#changing, entry);
    return found && openingOf(found);
  }

  setCut({ entry }: TrackedFlow, isCut: boolean): boolean {
    return markConnection(this.#changing, entry, isCut ? cutMark : 0, cutMark);
  }

  [Symbol.dispose](): void {
    this.#telling.close();
    this.#changing.close();
  }
}

/** Whether this kernel tells of flows; a clause that says what it lacks. */
export function missingForFlows(): string | undefined {
  try {
    using look = new StandingFlows().look("cut");
    look.next();
    return undefined;
  } catch (error) {
    return `the kernel does not tell of connections: ${errorText(error)}`;
  }
}

function flowOf(entry: ConntrackEntry): TrackedFlow {
  const state = entry.tcpState;
  return {
    entry,
    opening: openingOf(entry),
    ...(entry.wasPickedUp && { otherWay: otherWayOf(entry) }),
    protocol: entry.original.protocol,
    isCut: (entry.mark & cutMark) !== 0,
    isOver: state === tcpState.timeWait || state === tcpState.close,
    isAnnounced: entry.hasMaster,
  };
}

const transports: ReadonlyMap<number, TransportProtocol> = new Map([
  [6, "TCP"],
  [17, "UDP"],
  [132, "SCTP"],
]);

/**
 * What the packet filter has seen of its first packet: the filter stands behind the translation of
 * destinations, and before that of sources. So whoever opened it is who the original names, and whom
 * it has come to is who answers.
 */
function openingOf({ original, reply }: ConntrackEntry): Opening {
  return openingFrom(original, reply);
}

/** The same where the first packet that the kernel saw of it was an answer. */
function otherWayOf({ original, reply }: ConntrackEntry): Opening {
  return openingFrom(reply, original);
}

function openingFrom({ source }: ConntrackTuple, answer: ConntrackTuple): Opening {
  const protocol = transports.get(answer.protocol);
  const port = answer.sourcePort;
  return {
    source,
    destination: answer.source,
    port: protocol === undefined || port === undefined ? undefined : { protocol, port },
  };
}

function ownAddresses(): ReadonlySet<HostIp> {
  using netlink = openRoute();
  const all = listAddresses(netlink, { interfaceIndex: 0 });
  return new Set(
    all.map(({ cidr: { address } }) => (address.family === 4 ? address.value : formatIp(address))),
  );
}
