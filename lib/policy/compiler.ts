import type { HostIp } from "../base/ip.ts";
import { type ChainDraft, type Combination, draftChain } from "./chain-draft.ts";
import { latestOf } from "./cluster.ts";
import type { ClusterPolicy, Direction, Namespace, NetworkPolicy, Node, Pod } from "./objects.ts";
import type { AddressQuery } from "./peer-matches.ts";
import type { PeerTerm } from "./peer-term.ts";
import {
  type AddressSet,
  type Chain,
  type ChainKey,
  formatPortElement,
  type PortElement,
  type PortSet,
  type RuleSet,
  type RuleSetChange,
  type SetChanges,
} from "./rule-set.ts";
import { selects } from "./selector.ts";

/**
 * Makes of policies, and of those that they are about, what the packet filter of this node has to
 * do. Objects come and go in any order; what follows from many of them is told at once by
 * {@link commit}.
 */
export class PolicyCompiler {
  readonly #namespaces = new Map<string, Namespace>();
  readonly #pods = new Map<string, Pod>();
  readonly #nodes = new Map<string, Node>();
  readonly #networkPolicies = new Map<string, NetworkPolicy>();
  readonly #clusterPolicies = new Map<string, ClusterPolicy>();
  readonly #held = new Set<HostIp>();
  #rules: RuleSet = emptyRuleSet();

  /** What was told by {@link commit} so far, all of it; it changes with the next one. */
  get rules(): RuleSet {
    return this.#rules;
  }

  /** A new one, or another state of one. */
  putNamespace(namespace: Namespace): void {
    this.#namespaces.set(namespace.name, namespace);
  }

  /** Nothing happens for one that is not known; so for all others. */
  removeNamespace(name: string): void {
    this.#namespaces.delete(name);
  }

  putPod(pod: Pod): void {
    this.#pods.set(pod.id, pod);
  }

  removePod(id: string): void {
    this.#pods.delete(id);
  }

  putNode(node: Node): void {
    this.#nodes.set(node.name, node);
  }

  removeNode(name: string): void {
    this.#nodes.delete(name);
  }

  putNetworkPolicy(policy: NetworkPolicy): void {
    this.#networkPolicies.set(JSON.stringify([policy.namespace, policy.name]), policy);
  }

  removeNetworkPolicy(namespace: string, name: string): void {
    this.#networkPolicies.delete(JSON.stringify([namespace, name]));
  }

  putClusterPolicy(policy: ClusterPolicy): void {
    this.#clusterPolicies.set(`${policy.tier}/${policy.name}`, policy);
  }

  removeClusterPolicy(tier: ClusterPolicy["tier"], name: string): void {
    this.#clusterPolicies.delete(`${tier}/${name}`);
  }

  /**
   * Denies all new connections of an address, whoever is known to have it, until it is released: for
   * a pod that is being made, whose labels nobody has told yet.
   */
  hold(address: HostIp): void {
    this.#held.add(address);
  }

  release(address: HostIp): void {
    this.#held.delete(address);
  }

  /** What has changed in {@link rules} since the last time; `undefined` when nothing has. */
  commit(): RuleSetChange | undefined {
    const before = this.#rules;
    this.#rules = this.#compile();
    return changeBetween(before, this.#rules);
  }

  #owners(): Map<HostIp, Pod> {
    const owners = new Map<HostIp, Pod>();
    for (const pod of this.#pods.values()) {
      for (const address of pod.addresses) {
        const other = owners.get(address);
        owners.set(address, other === undefined ? pod : latestOf([pod, other])!);
      }
    }
    return owners;
  }

  #compile(): MutableRuleSet {
    const owners = this.#owners();
    const rules = emptyRuleSet();
    for (const direction of ["ingress", "egress"] as const) {
      for (const [address, pod] of owners) {
        if (!pod.isLocal || this.#held.has(address)) continue;
        const combination = this.#combination(pod, direction);
        const key = keyOf(direction, combination);
        if (key === undefined) continue;
        rules.targets[direction].set(address, key);
        if (!rules.chains.has(key)) this.#addChain(rules, key, draftChain(direction, combination));
      }
      for (const address of this.#held) {
        rules.targets[direction].set(address, heldKey);
        rules.chains.set(heldKey, heldChain);
      }
    }
    return rules;
  }

  #combination(pod: Pod, direction: Direction): Combination {
    const labels = this.#namespaces.get(pod.namespace)?.labels;
    const cluster = [...this.#clusterPolicies.values()].filter(
      (policy) =>
        policy[direction].length > 0 &&
        labels !== undefined &&
        selects(policy.subject.namespaces, labels) &&
        selects(policy.subject.pods, pod.labels),
    );
    const network = [...this.#networkPolicies.values()].filter(
      (policy) =>
        policy[direction] !== undefined &&
        policy.namespace === pod.namespace &&
        selects(policy.podSelector, pod.labels),
    );
    const admin = cluster.filter(({ tier }) => tier === "admin");
    return { admin, network, baseline: cluster.filter(({ tier }) => tier === "baseline") };
  }

  #addChain(rules: MutableRuleSet, key: ChainKey, draft: ChainDraft): void {
    rules.chains.set(key, draft.chain);
    for (const query of draft.addresses) rules.sets.set(query.key, this.#addresses(query));
    for (const { key: set, name, protocol } of draft.ports) {
      const elements = [...this.#owners()].flatMap(([address, pod]) =>
        pod.ports
          .filter((port) => port.name === name)
          .filter((port) => protocol === undefined || port.protocol === protocol)
          .map((port): PortElement => ({ address, protocol: port.protocol, port: port.port })),
      );
      rules.portSets.set(set, new Map(elements.map((each) => [formatPortElement(each), each])));
    }
  }

  #addresses({ terms }: AddressQuery): Set<HostIp> {
    const pods = [...this.#owners()].filter(([, pod]) =>
      terms.some((term) => this.#has(term, pod)),
    );
    const nodes = [...this.#nodes.values()].filter((node) =>
      terms.some((term) => "nodes" in term && selects(term.nodes, node.labels)),
    );
    return new Set([...pods.map(([ip]) => ip), ...nodes.flatMap(({ addresses }) => addresses)]);
  }

  #has(term: PeerTerm, pod: Pod): boolean {
    if ("nodes" in term || !selects(term.pods, pod.labels)) return false;
    if ("name" in term.namespaces) return term.namespaces.name === pod.namespace;
    const labels = this.#namespaces.get(pod.namespace)?.labels;
    return labels !== undefined && selects(term.namespaces.selector, labels);
  }
}

const heldKey: ChainKey = JSON.stringify(["held"]);

const heldChain: Chain = {
  tiers: [
    [{ peer: { kind: "any" }, ports: "any", verdict: "deny", origin: "a pod not known yet" }],
  ],
};

function keyOf(direction: Direction, { admin, network, baseline }: Combination) {
  if (admin.length + network.length + baseline.length === 0) return undefined;
  const names = (policies: readonly { name: string }[]) => policies.map(({ name }) => name).sort();
  const [first] = network;
  return JSON.stringify([
    ...[direction, first?.namespace ?? null],
    ...[names(admin), names(network), names(baseline)],
  ]);
}

interface MutableRuleSet {
  readonly sets: Map<string, AddressSet>;
  readonly portSets: Map<string, PortSet>;
  readonly chains: Map<ChainKey, Chain>;
  readonly targets: Record<Direction, Map<HostIp, ChainKey>>;
}

function emptyRuleSet(): MutableRuleSet {
  const targets = { ingress: new Map(), egress: new Map() };
  return { sets: new Map(), portSets: new Map(), chains: new Map(), targets };
}

function changeBetween(before: RuleSet, after: RuleSet): RuleSetChange | undefined {
  const change: RuleSetChange = {
    sets: setChanges(before.sets, after.sets, (set) => new Map([...set].map((ip) => [ip, ip]))),
    portSets: setChanges(before.portSets, after.portSets, (set) => set),
    chains: mapChanges(before.chains, after.chains),
    targets: {
      ingress: mapChanges(before.targets.ingress, after.targets.ingress),
      egress: mapChanges(before.targets.egress, after.targets.egress),
    },
  };
  const { sets, portSets, chains, targets } = change;
  const sizes = [sets, portSets].flatMap(({ add, remove, change }) => [
    ...[add.size, remove.length, change.size],
  ]);
  for (const { put, remove } of [chains, targets.ingress, targets.egress]) {
    sizes.push(put.size, remove.length);
  }
  return sizes.every((size) => size === 0) ? undefined : change;
}

function setChanges<Set, Element>(
  before: ReadonlyMap<string, Set>,
  after: ReadonlyMap<string, Set>,
  elements: (set: Set) => ReadonlyMap<unknown, Element>,
): SetChanges<Element> {
  const add = new Map<string, Element[]>();
  const change = new Map<string, { add: Element[]; remove: Element[] }>();
  for (const [key, set] of after) {
    const old = before.get(key);
    const now = elements(set);
    if (old === undefined) add.set(key, [...now.values()]);
    else {
      const was = elements(old);
      const added = [...now].filter(([id]) => !was.has(id)).map(([, element]) => element);
      const removed = [...was].filter(([id]) => !now.has(id)).map(([, element]) => element);
      if (added.length + removed.length > 0) change.set(key, { add: added, remove: removed });
    }
  }
  return { add, change, remove: [...before.keys()].filter((key) => !after.has(key)) };
}

function mapChanges<Key, Value>(before: ReadonlyMap<Key, Value>, after: ReadonlyMap<Key, Value>) {
  const isSame = (value: Value, old: Value | undefined): boolean => text(value) === text(old);
  const put = new Map([...after].filter(([key, value]) => !isSame(value, before.get(key))));
  return { put, remove: [...before.keys()].filter((key) => !after.has(key)) };
}

function text(value: unknown): string | undefined {
  return JSON.stringify(value, (_, each) => (typeof each === "bigint" ? `${each}n` : each));
}
