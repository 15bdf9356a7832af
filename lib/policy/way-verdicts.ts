import type { Cluster, Party } from "./cluster.ts";
import { isCalled, type PortAt } from "./match.ts";
import type { Pod, PortRange, TransportProtocol } from "./objects.ts";
import { evaluate, policiesAbout, type Verdict } from "./verdict.ts";

/** Ports of a protocol, both ends included; what has no ports, such as ICMP, has no `ports`. */
export interface PortSpan {
  readonly protocol: TransportProtocol | "ICMP";
  readonly ports?: { readonly first: number; readonly last: number };
}

/** What becomes of all connections to these ports, and why. */
export interface SpanVerdict {
  readonly spans: readonly PortSpan[];
  readonly verdict: Verdict;
}

export interface WayVerdicts {
  /** Those of the fewest ports first, so that what is particular comes before all the rest. */
  readonly verdicts: readonly SpanVerdict[];
  /** False where policies name more ports than are looked at: nothing is said of those beyond. */
  readonly isComplete: boolean;
}

const protocols: readonly TransportProtocol[] = ["TCP", "UDP", "SCTP"];
const portMax = 65_535;

/** Ports of a protocol at which something may begin to be judged otherwise. */
export const edgesMax = 1024;

/**
 * Everything that one end may open to the other. Policies name ports, so that only where a port that
 * they name begins or has ended the answer may be another one: one question for each such span is a
 * question for all ports.
 */
export function wayVerdicts(cluster: Cluster, source: Party, destination: Party): WayVerdicts {
  const about = onlyAbout(cluster, source.pod, destination.pod);
  const named = rangesOf(about);
  const found = new Map<string, { spans: PortSpan[]; verdict: Verdict }>();
  const note = (span: PortSpan, port?: PortAt): void => {
    const verdict = evaluate(about, { source, destination, port });
    const key = JSON.stringify(verdict);
    const before = found.get(key);
    if (before === undefined) found.set(key, { spans: [span], verdict });
    else addSpan(before.spans, span);
  };
  let isComplete = true;
  for (const protocol of protocols) {
    const edges = edgesOf(named, protocol, destination.pod);
    isComplete &&= edges.length <= edgesMax;
    for (const [index, first] of edges.slice(0, edgesMax).entries()) {
      const last = (edges[index + 1] ?? portMax + 1) - 1;
      note({ protocol, ports: { first, last } }, { protocol, port: first });
    }
  }
  note({ protocol: "ICMP" });
  const verdicts = [...found.values()].sort((a, b) => sizeOf(a.spans) - sizeOf(b.spans));
  return { verdicts, isComplete };
}

/** The same cluster to these two, in the same order, with less to look through. */
function onlyAbout(
  cluster: Cluster,
  source: Pod | undefined,
  destination: Pod | undefined,
): Cluster {
  const asked = [
    ...(source === undefined ? [] : [policiesAbout(cluster, "egress", source)]),
    ...(destination === undefined ? [] : [policiesAbout(cluster, "ingress", destination)]),
  ];
  const network = new Set(asked.flatMap(({ networkPolicies }) => networkPolicies));
  const whole = new Set(asked.flatMap(({ clusterPolicies }) => clusterPolicies));
  return {
    ...cluster,
    networkPolicies: cluster.networkPolicies.filter((each) => network.has(each)),
    clusterPolicies: cluster.clusterPolicies.filter((each) => whole.has(each)),
  };
}

function rangesOf({ networkPolicies, clusterPolicies }: Cluster): PortRange[] {
  const rules = [...networkPolicies, ...clusterPolicies].flatMap(({ ingress, egress }) => [
    ...(ingress ?? []),
    ...(egress ?? []),
  ]);
  return rules.flatMap(({ ports }) => (ports === "any" ? [] : ports));
}

/** In ascending order, from 1. */
function edgesOf(
  ranges: readonly PortRange[],
  protocol: TransportProtocol,
  destination: Pod | undefined,
): number[] {
  const edges = new Set([1]);
  for (const range of ranges) {
    const named = range.kind === "numbers" ? [range] : portsCalled(range, destination);
    for (const each of named) {
      if (each.protocol === protocol) edges.add(each.first).add(each.last + 1);
    }
  }
  return [...edges].filter((edge) => edge >= 1 && edge <= portMax).sort((a, b) => a - b);
}

function portsCalled(range: PortRange & { kind: "name" }, destination: Pod | undefined) {
  return (destination?.ports ?? [])
    .filter((named) => isCalled(named, range))
    .map(({ protocol, port }) => ({ protocol, first: port, last: port }));
}

/** Joins it to the one before where they touch. */
function addSpan(spans: PortSpan[], span: PortSpan): void {
  const { protocol, ports } = span;
  const before = spans.at(-1);
  const touches = before?.protocol === protocol && before.ports?.last === (ports?.first ?? 0) - 1;
  if (!touches || before?.ports === undefined || ports === undefined) spans.push(span);
  else spans[spans.length - 1] = { protocol, ports: { ...before.ports, last: ports.last } };
}

function sizeOf(spans: readonly PortSpan[]): number {
  return spans.reduce((sum, { ports }) => sum + (ports ? ports.last - ports.first + 1 : 1), 0);
}
