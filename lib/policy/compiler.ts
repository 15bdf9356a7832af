import type { HostIp } from "../base/ip.ts";
import { ChainTable } from "./compiler/chain-table.ts";
import { clusterPolicyKey, networkPolicyKey, PolicyTable } from "./compiler/policy-table.ts";
import { Population } from "./compiler/population.ts";
import { TargetTable } from "./compiler/target-table.ts";
import type { ClusterPolicy, Direction, Namespace, NetworkPolicy, Node, Pod } from "./objects.ts";
import type { ChainKey, RuleSet, RuleSetChange } from "./rule-set.ts";

const directions: readonly Direction[] = ["ingress", "egress"];

/**
 * Makes of policies, and of those that they are about, what the packet filter of this node has to
 * do. Objects come and go in any order; what follows from many of them is told at once by
 * {@link commit}, and costs what has changed, not what there is.
 *
 *   namespaces, pods, machines ─▶ Population ─ who is in which set ──────────────┐
 *   policies ─▶ PolicyTable ─ which are about an address ─▶ TargetTable ─▶ ChainTable ─▶ change
 *
 * Chains and sets are there as long as an address of this node needs them, and are named by what they
 * stand for: never do two of different meaning share one (kubernetes.md §12.3).
 */
export class PolicyCompiler {
  readonly #population = new Population();
  readonly #policies = new PolicyTable(this.#population);
  readonly #chains = new ChainTable(this.#policies, this.#population);
  readonly #targets = { ingress: new TargetTable(), egress: new TargetTable() };
  readonly #held = new Set<HostIp>();

  /** What was told by {@link commit} so far, all of it; it changes with the next one. */
  readonly rules: RuleSet = {
    sets: this.#population.addresses.published,
    portSets: this.#population.ports.published,
    chains: this.#chains.published,
    targets: {
      ingress: this.#targets.ingress.published,
      egress: this.#targets.egress.published,
    },
  };

  /** A new one, or another state of one. */
  putNamespace(namespace: Namespace): void {
    this.#population.putNamespace(namespace);
  }

  /** Nothing happens for one that is not known; so for all others. */
  removeNamespace(name: string): void {
    this.#population.removeNamespace(name);
  }

  putPod(pod: Pod): void {
    this.#population.putPod(pod);
  }

  removePod(id: string): void {
    this.#population.removePod(id);
  }

  putNode(node: Node): void {
    this.#population.putNode(node);
  }

  removeNode(name: string): void {
    this.#population.removeNode(name);
  }

  putNetworkPolicy(policy: NetworkPolicy): void {
    this.#policies.putNetworkPolicy(policy);
  }

  removeNetworkPolicy(namespace: string, name: string): void {
    this.#policies.remove(networkPolicyKey(namespace, name));
  }

  putClusterPolicy(policy: ClusterPolicy): void {
    this.#policies.putClusterPolicy(policy);
  }

  removeClusterPolicy(tier: ClusterPolicy["tier"], name: string): void {
    this.#policies.remove(clusterPolicyKey(tier, name));
  }

  /**
   * Denies all new connections of an address, whoever is known to have it, until it is released: for
   * a pod that is being made, whose labels nobody has told yet (kubernetes.md §8.6).
   */
  hold(address: HostIp): void {
    this.#held.add(address);
    this.#population.touch(address);
  }

  release(address: HostIp): void {
    if (this.#held.delete(address)) this.#population.touch(address);
  }

  /** The pod that has an address; of several the latest. */
  ownerOf(address: HostIp): Pod | undefined {
    return this.#population.ownerOf(address);
  }

  /** What has changed in {@link rules} since the last time; `undefined` when nothing has. */
  commit(): RuleSetChange | undefined {
    for (const address of this.#population.takeChanged()) {
      for (const direction of directions) this.#judge(address, direction);
    }
    this.#chains.sweep();
    this.#chains.redraft(this.#policies.takeChanged());
    this.#population.sweep();
    const change: RuleSetChange = {
      sets: this.#population.addresses.tell(),
      portSets: this.#population.ports.tell(),
      chains: this.#chains.tell(),
      targets: { ingress: this.#targets.ingress.tell(), egress: this.#targets.egress.tell() },
    };
    return isEmpty(change) ? undefined : change;
  }

  /** Puts an address under the chain that is to judge it now. */
  #judge(address: HostIp, direction: Direction): void {
    const before = this.#targets[direction].set(address, this.#chainFor(address, direction));
    if (before !== undefined) this.#chains.release(before);
  }

  #chainFor(address: HostIp, direction: Direction): ChainKey | undefined {
    if (this.#held.has(address)) return this.#chains.acquireHeld();
    const pod = this.#population.ownerOf(address);
    if (pod === undefined || !pod.isLocal) return undefined;
    const policies = this.#policies.about(pod, direction);
    return policies.length === 0 ? undefined : this.#chains.acquire(direction, policies);
  }
}

function isEmpty({ sets, portSets, chains, targets }: RuleSetChange): boolean {
  const counts = [
    ...[sets, portSets].flatMap(({ add, change, remove }) => [
      add.size,
      change.size,
      remove.length,
    ]),
    ...[chains, targets.ingress, targets.egress].flatMap(({ put, remove }) => [
      ...[put.size, remove.length],
    ]),
  ];
  return counts.every((count) => count === 0);
}
