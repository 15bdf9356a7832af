import type { ShortId } from "../../../overlay/fastdp/ports.ts";
import { vniDestination, vniOriginator } from "../../../overlay/fastdp/vni.ts";
import type { DumpedFlow, FlowMatch } from "./flow-message.ts";
import { type Dependency, here, type Ingress, type MacOwner } from "./frame-decision.ts";

/** A flow that an earlier process of ours left, and what it tells about the tables of that time. */
export interface InheritedFlow {
  readonly id: string;
  readonly match: FlowMatch;
  /** Whose frames they are. */
  readonly owner: MacOwner;
  readonly depends: readonly Dependency[];
  /** Our short id as it was then; `undefined` where the flow does not tell. */
  readonly self: ShortId | undefined;
}

export function inheritedFlow(flow: DumpedFlow, ingress: Ingress["kind"]): InheritedFlow {
  const { match, actions } = flow;
  const sent = actions.flatMap((action) => {
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
    self: ingress === "containers" && sent.length > 0 ? vniOriginator(sent[0]!) : undefined,
    depends: [
      "self",
      ...between.map((mac): Dependency => `mac ${mac}`),
      ...sent.map(vniDestination).flatMap((peer): Dependency[] => [`hop ${peer}`, `at ${peer}`]),
      ...(owner === here ? [] : ([`tree ${owner}`, `hop ${owner}`] satisfies Dependency[])),
    ],
  };
}
