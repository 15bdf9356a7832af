import type {
  AdoptedTables,
  DatapathNeighbour,
  NextHop,
  ShortId,
} from "../../../overlay/fastdp/ports.ts";
import { vniDestination, vniOriginator } from "../../../overlay/fastdp/vni.ts";
import { ethernetHeaderSize, isGroupMac } from "../../../wire/ethernet.ts";
import type { DumpedFlow, FlowAction, FlowMatch } from "./flow-message.ts";
import { type Dependency, here, type Ingress, type MacOwner } from "./frame-decision.ts";

/** A flow that an earlier process of ours left, and what it tells about the tables of that time. */
export interface InheritedFlow {
  readonly id: string;
  readonly match: FlowMatch;
  /** Whose frames they are. */
  readonly owner: MacOwner;
  readonly depends: readonly Dependency[];
}

export function inheritedFlow(flow: DumpedFlow): InheritedFlow {
  const { match } = flow;
  const sent = whenShort(flow).flatMap(({ action }) => {
    if (action.kind === "tunnel") return [action.key.vni];
    return action.kind === "mark" && action.mark !== 0 ? [action.mark] : [];
  });
  const arrived = match.tunnel?.vni ?? match.mark;
  const owner = arrived === undefined ? here : vniOriginator(arrived);
  const between = match.macs === undefined ? [] : [match.macs.source, match.macs.destination];
  return {
    id: flow.id,
    match,
    owner,
    depends: [
      "self",
      ...between.map((mac): Dependency => `mac ${mac}`),
      ...sent.map(vniDestination).flatMap((peer): Dependency[] => [`hop ${peer}`, `at ${peer}`]),
      ...(owner === here ? [] : ([`tree ${owner}`, `hop ${owner}`] satisfies Dependency[])),
    ],
  };
}

/**
 * The tables by which an earlier process forwarded, as far as its flows tell. A flood names each
 * neighbour beside its address; an address that no flood goes to is taken for that of the peer
 * itself.
 *
 * @param udpPortOf of a VXLAN port
 */
export function inheritedTables(
  flows: readonly DumpedFlow[],
  ingressOf: (flow: DumpedFlow) => Ingress["kind"] | undefined,
  udpPortOf: (port: number) => number | undefined,
): AdoptedTables {
  const sent = flows.flatMap((flow) => copiesOf(flow, ingressOf(flow), udpPortOf));
  const self = sent.find(({ isCaptured }) => isCaptured)?.originator;
  const neighbours = new Map<ShortId, DatapathNeighbour>();
  const ids = new Map<string, ShortId>();
  const trees = new Map<ShortId, Set<ShortId>>();
  for (const { isFlood, originator, destination, neighbour } of sent) {
    if (!isFlood) continue;
    const tree = trees.get(originator) ?? new Set();
    trees.set(originator, tree.add(destination));
    if (neighbour === undefined) continue;
    neighbours.set(destination, { shortId: destination, ...neighbour });
    ids.set(addressOf(neighbour), destination);
  }
  const hops = new Map<ShortId, NextHop>();
  for (const { destination, neighbour } of sent) {
    if (neighbour === undefined) {
      hops.set(destination, { kind: "sleeve" });
      continue;
    }
    const id = ids.get(addressOf(neighbour)) ?? destination;
    ids.set(addressOf(neighbour), id);
    neighbours.set(id, { shortId: id, ...neighbour });
    hops.set(destination, { kind: "tunnel", neighbour: id });
  }
  const listed = [...trees].map(([id, tree]): [ShortId, ShortId[]] => [id, [...tree]]);
  return { self, neighbours: [...neighbours.values()], hops, trees: new Map(listed) };
}

/** One copy that a flow sends to another host. */
interface SentCopy {
  readonly isCaptured: boolean;
  readonly isFlood: boolean;
  readonly originator: ShortId;
  readonly destination: ShortId;
  /** `undefined`: by sleeve. */
  readonly neighbour: Omit<DatapathNeighbour, "shortId"> | undefined;
}

/** What is done to a frame that fits every tunnel. */
interface ShortFrameAction {
  readonly action: FlowAction;
  /** Of the tunnel, where lengths matter. */
  readonly mtu: number | undefined;
}

function whenShort({ actions }: DumpedFlow): ShortFrameAction[] {
  return actions.flatMap((action): ShortFrameAction[] => {
    if (action.kind !== "ifLonger") return [{ action, mtu: undefined }];
    const mtu = action.octets - ethernetHeaderSize;
    return action.otherwise.map((each) => ({ action: each, mtu }));
  });
}

function copiesOf(
  flow: DumpedFlow,
  ingress: Ingress["kind"] | undefined,
  udpPortOf: (port: number) => number | undefined,
): SentCopy[] {
  const { match } = flow;
  const arrived = match.tunnel?.vni ?? match.mark;
  const isGroup = match.macs !== undefined && isGroupMac(match.macs.destination);
  return whenShort(flow).flatMap(({ action, mtu }, at, all): SentCopy[] => {
    const vni =
      action.kind === "tunnel" ? action.key.vni : action.kind === "mark" ? action.mark : 0;
    const next = all[at + 1]?.action;
    const port = next?.kind === "output" ? udpPortOf(next.port) : undefined;
    if (vni === 0 || (action.kind === "tunnel" && port === undefined)) return [];
    return [
      {
        isCaptured: ingress === "containers",
        // A relay passes on what it got; whatever is for us and goes on is a flood.
        isFlood: isGroup || (arrived !== undefined && (arrived & 0xff_ffff) !== (vni & 0xff_ffff)),
        originator: vniOriginator(vni),
        destination: vniDestination(vni),
        neighbour:
          action.kind === "tunnel"
            ? { localIp: action.key.source, remoteIp: action.key.destination, port: port!, mtu }
            : undefined,
      },
    ];
  });
}

function addressOf({ remoteIp, port }: Omit<DatapathNeighbour, "shortId">): string {
  return `${remoteIp}:${port}`;
}
