import type { HostIp } from "../base/ip.ts";
import type { ClusterPolicy, Labels, Namespace, NetworkPolicy, Node, Pod } from "./objects.ts";

/** Everything that decides about connections, at one moment. */
export interface Cluster {
  readonly namespaces: readonly Namespace[];
  readonly pods: readonly Pod[];
  readonly nodes: readonly Node[];
  readonly networkPolicies: readonly NetworkPolicy[];
  readonly clusterPolicies: readonly ClusterPolicy[];
}

/** One end of a connection: a pod, a machine, or something outside; with the address it has there. */
export interface Party {
  readonly pod?: Pod | undefined;
  readonly node?: Node | undefined;
  /** Missing for a pod that has none yet: no block of addresses has it. */
  readonly address?: HostIp | undefined;
}

/** Who has an address: of pods the one that is attached here, else the latest. */
export function partyAt({ pods, nodes }: Cluster, address: HostIp): Party {
  const pod = latestOf(pods.filter(({ addresses }) => addresses.includes(address)));
  return { pod, node: nodes.find(({ addresses }) => addresses.includes(address)), address };
}

/** Whose an address is that several pods have (kubernetes.md §8.6). */
export function latestOf(pods: Iterable<Pod>): Pod | undefined {
  let latest: Pod | undefined;
  for (const pod of pods) if (latest === undefined || goesBefore(pod, latest)) latest = pod;
  return latest;
}

/** The same in whatever order the two are told of. */
function goesBefore(a: Pod, b: Pod): boolean {
  const isAttached = a.isAttached === true;
  if (isAttached !== (b.isAttached === true)) return isAttached;
  return a.sinceMs === b.sinceMs ? a.id > b.id : a.sinceMs > b.sinceMs;
}

/**
 * The labels of a namespace that is known: one that is not is chosen by no selector, so that nothing
 * is allowed for labels that nobody has seen.
 */
export function namespaceLabels({ namespaces }: Cluster, name: string): Labels | undefined {
  return namespaces.find((namespace) => namespace.name === name)?.labels;
}
