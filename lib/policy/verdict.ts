import { type Cluster, namespaceLabels, type Party } from "./cluster.ts";
import { matchesPeer, matchesPorts, type PortAt } from "./match.ts";
import type { ClusterPolicy, ClusterRule, Direction, NetworkPolicy, Pod } from "./objects.ts";
import { nameOfClusterPolicy, nameOfPolicy, type PolicyName } from "./policy-name.ts";
import { selects } from "./selector.ts";

/** A connection that somebody wants to open; answers to what was let through are never asked about. */
export interface Connection {
  readonly source: Party;
  readonly destination: Party;
  /** At the destination, as it knows it itself; missing for ICMP and others that have none. */
  readonly port?: PortAt | undefined;
}

/** What becomes of it: both ends must allow it. */
export interface Verdict {
  readonly allowed: boolean;
  /** What the source may send. */
  readonly egress: Decision;
  /** What the destination may receive. */
  readonly ingress: Decision;
}

/** What one end says, and which rule of which policy decides it. */
export type Decision = Outcome & {
  /** The rule of a cluster policy that left it to those that come after. */
  readonly passedBy?: RuleName;
};

type Outcome =
  /** A rule says so. */
  | { readonly allowed: boolean; readonly because: "rule"; readonly rule: RuleName }
  /** Policies select the pod, and no rule of theirs allows it. */
  | { readonly allowed: false; readonly because: "isolated"; readonly by: readonly PolicyName[] }
  /** No policy says anything of it. */
  | { readonly allowed: true; readonly because: "unselected" }
  /** Not judged: no pod; a pod and itself; a pod and the machine that it runs on. */
  | { readonly allowed: true; readonly because: "no-pod" | "itself" | "own-node" };

/** A rule and where it stands: `spec.ingress[0]`. */
export interface RuleName {
  readonly policy: PolicyName;
  readonly where: string;
  readonly action: ClusterRule["action"];
}

/**
 * Whether a connection may be opened, and why (kubernetes.md §9, §8.5): cluster policies of tier
 * `admin`, then the network policies, then tier `baseline`; the first that has something to say
 * decides. Nothing is kept: each question looks at the whole cluster.
 */
export function evaluate(cluster: Cluster, connection: Connection): Verdict {
  const { source, destination } = connection;
  const exempt = exemption(source, destination);
  const decide = (direction: Direction, pod: Pod | undefined): Decision => {
    if (pod === undefined) return { allowed: true, because: "no-pod" };
    return exempt ?? decision(cluster, connection, direction, pod);
  };
  const egress = decide("egress", source.pod);
  const ingress = decide("ingress", destination.pod);
  return { allowed: egress.allowed && ingress.allowed, egress, ingress };
}

function exemption(a: Party, b: Party): Decision | undefined {
  if (a.pod !== undefined && a.pod.id === b.pod?.id) return { allowed: true, because: "itself" };
  const isOwn = isOwnNode(a, b) || isOwnNode(b, a);
  return isOwn ? { allowed: true, because: "own-node" } : undefined;
}

function isOwnNode({ pod }: Party, { node }: Party): boolean {
  return pod !== undefined && node !== undefined && pod.node === node.name;
}

function decision(
  cluster: Cluster,
  connection: Connection,
  direction: Direction,
  pod: Pod,
): Decision {
  const policies = policiesOfTier(cluster, "admin", pod);
  const admin = firstRule(cluster, connection, direction, policies);
  if (admin?.action === "pass") {
    return { ...afterAdmin(cluster, connection, direction, pod), passedBy: admin };
  }
  return admin === undefined ? afterAdmin(cluster, connection, direction, pod) : byRule(admin);
}

function afterAdmin(
  cluster: Cluster,
  connection: Connection,
  direction: Direction,
  pod: Pod,
): Decision {
  const isolating = cluster.networkPolicies.filter((policy) => isolates(policy, direction, pod));
  if (isolating.length > 0) {
    const rule = allowingRule(cluster, connection, direction, isolating);
    if (rule !== undefined) return byRule(rule);
    return { allowed: false, because: "isolated", by: isolating.map(nameOfPolicy) };
  }
  const policies = policiesOfTier(cluster, "baseline", pod);
  const baseline = firstRule(cluster, connection, direction, policies);
  return baseline === undefined ? { allowed: true, because: "unselected" } : byRule(baseline);
}

function byRule(rule: RuleName): Decision {
  return { allowed: rule.action !== "deny", because: "rule", rule };
}

function isolates(policy: NetworkPolicy, direction: Direction, pod: Pod): boolean {
  const says = policy[direction] !== undefined && policy.namespace === pod.namespace;
  return says && selects(policy.podSelector, pod.labels);
}

function allowingRule(
  cluster: Cluster,
  connection: Connection,
  direction: Direction,
  policies: readonly NetworkPolicy[],
): RuleName | undefined {
  const peer = direction === "ingress" ? connection.source : connection.destination;
  for (const policy of policies) {
    const at = (policy[direction] ?? []).findIndex(
      ({ peers, ports }) =>
        (peers === "any" ||
          peers.some((each) => matchesPeer(cluster, each, peer, policy.namespace))) &&
        matchesPorts(ports, connection.port, connection.destination.pod),
    );
    if (at < 0) continue;
    return { policy: nameOfPolicy(policy), where: `spec.${direction}[${at}]`, action: "allow" };
  }
  return undefined;
}

/** The policies that are asked about a pod, of all tiers: what others say makes no difference to it. */
export function policiesAbout(
  cluster: Cluster,
  direction: Direction,
  pod: Pod,
): Pick<Cluster, "networkPolicies" | "clusterPolicies"> {
  return {
    networkPolicies: cluster.networkPolicies.filter((each) => isolates(each, direction, pod)),
    clusterPolicies: (["admin", "baseline"] as const).flatMap((tier) =>
      policiesOfTier(cluster, tier, pod),
    ),
  };
}

/** Those that are about a pod, in the order in which they are asked. */
function policiesOfTier(cluster: Cluster, tier: ClusterPolicy["tier"], pod: Pod): ClusterPolicy[] {
  const labels = namespaceLabels(cluster, pod.namespace);
  if (labels === undefined) return [];
  return cluster.clusterPolicies
    .filter((policy) => policy.tier === tier)
    .filter(({ subject }) => selects(subject.namespaces, labels))
    .filter(({ subject }) => selects(subject.pods, pod.labels))
    .sort(byPriority);
}

/** Which of two cluster policies of a tier is asked first; those of one priority go by their names. */
function byPriority(a: ClusterPolicy, b: ClusterPolicy): number {
  if (a.priority !== b.priority) return a.priority - b.priority;
  return a.name < b.name ? -1 : a.name > b.name ? 1 : 0;
}

function firstRule(
  cluster: Cluster,
  connection: Connection,
  direction: Direction,
  policies: readonly ClusterPolicy[],
): RuleName | undefined {
  const peer = direction === "ingress" ? connection.source : connection.destination;
  for (const policy of policies) {
    const rules = policy[direction];
    const at = rules.findIndex(
      ({ peers, ports }) =>
        peers.some((each) => matchesPeer(cluster, each, peer, undefined)) &&
        matchesPorts(ports, connection.port, connection.destination.pod),
    );
    if (at < 0) continue;
    const where = `spec.${direction}[${at}]`;
    return { policy: nameOfClusterPolicy(policy), where, action: rules[at]!.action };
  }
  return undefined;
}
