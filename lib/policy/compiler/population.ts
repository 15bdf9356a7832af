import type { HostIp } from "../../base/ip.ts";
import type { Labels, Namespace, Node, Pod } from "../objects.ts";
import type { AddressQuery } from "../peer-matches.ts";
import type { PeerTerm, PodQuery } from "../peer-term.ts";
import type { PortQuery } from "../port-matches.ts";
import { AddressOwners } from "./address-owners.ts";
import { AddressSets } from "./address-sets.ts";
import { NodeMembership } from "./node-membership.ts";
import { PodMembership } from "./pod-membership.ts";
import { PortSets } from "./port-sets.ts";

/**
 * Who there is, and the sets of addresses that this makes. Before something changes, the addresses
 * that it concerns are taken out of all sets, and put into those where they then belong; what is in
 * a set again in the end was never out of it for whoever is told.
 */
export class Population {
  readonly addresses = new AddressSets();
  readonly ports = new PortSets();
  readonly #pods = new PodMembership();
  readonly #nodes = new NodeMembership();
  readonly #owners = new AddressOwners();
  readonly #changed = new Set<HostIp>();

  ownerOf(address: HostIp): Pod | undefined {
    return this.#owners.ownerOf(address);
  }

  /** Queries that have been asked for and are about a pod. */
  queriesOf({ id }: Pod): Iterable<PodQuery> {
    return this.#pods.queriesOf(id);
  }

  /** Addresses for which something may have changed since the last time. */
  takeChanged(): HostIp[] {
    const changed = [...this.#changed];
    this.#changed.clear();
    return changed;
  }

  /** Something that is not known here has changed for an address. */
  touch(address: HostIp): void {
    this.#changed.add(address);
  }

  putNamespace(namespace: Namespace): void {
    const moved = this.#moved(namespace.name, namespace.labels);
    this.#around(moved, () => this.#pods.putNamespace(namespace));
  }

  removeNamespace(name: string): void {
    this.#around(this.#moved(name, undefined), () => this.#pods.removeNamespace(name));
  }

  putPod(pod: Pod): void {
    const before = this.#pods.pod(pod.id);
    this.#around(before === undefined ? [pod] : [before, pod], () => {
      if (before !== undefined) this.#owners.remove(before);
      this.#owners.put(pod);
      this.#pods.putPod(pod);
    });
  }

  removePod(id: string): void {
    const pod = this.#pods.pod(id);
    if (pod === undefined) return;
    this.#around([pod], () => {
      this.#owners.remove(pod);
      this.#pods.removePod(id);
    });
  }

  putNode(node: Node): void {
    this.removeNode(node.name);
    this.#nodes.put(node);
    this.#countNode(node, 1);
  }

  removeNode(name: string): void {
    const node = this.#nodes.node(name);
    if (node === undefined) return;
    this.#countNode(node, -1);
    this.#nodes.remove(name);
  }

  /** A policy wants to know whom it is about; all of those count as changed. */
  acquireSubject(query: PodQuery): void {
    this.#pods.acquire(query);
    this.#touchMembers(query);
  }

  releaseSubject(query: PodQuery): void {
    this.#touchMembers(query);
    this.#pods.release(query);
  }

  acquireAddresses(query: AddressQuery): void {
    for (const term of query.terms) this.#acquireTerm(term);
    const isNew = this.addresses.acquire(query, (term) => this.#addressesOf(term));
    if (!isNew) for (const term of query.terms) this.#releaseTerm(term);
  }

  acquirePorts(query: PortQuery): void {
    this.ports.acquire(query, () => this.#allPorts());
  }

  /** Forgets sets that no chain speaks of, and the queries that nobody asks any more with them. */
  sweep(): void {
    for (const { terms } of this.addresses.sweep())
      for (const term of terms) this.#releaseTerm(term);
    this.ports.sweep();
  }

  /** Pods for which it makes a difference which labels their namespace has. */
  #moved(namespace: string, labels: Labels | undefined): Pod[] {
    return this.#pods.wouldMove(namespace, labels) ? this.#pods.podsIn(namespace) : [];
  }

  #around(pods: readonly Pod[], change: () => void): void {
    const concerned = new Set(pods.flatMap(({ addresses }) => addresses));
    for (const address of concerned) this.#countOwner(address, -1);
    change();
    for (const address of concerned) {
      this.#countOwner(address, 1);
      this.#changed.add(address);
    }
  }

  #countOwner(address: HostIp, difference: 1 | -1): void {
    const pod = this.#owners.ownerOf(address);
    if (pod === undefined) return;
    for (const { key } of this.#pods.queriesOf(pod.id))
      this.addresses.count(key, address, difference);
    this.ports.count(address, pod.ports, difference);
  }

  #countNode(node: Node, difference: 1 | -1): void {
    for (const { key } of this.#nodes.queriesAbout(node)) {
      for (const address of node.addresses) this.addresses.count(key, address, difference);
    }
  }

  #touchMembers({ key }: PodQuery): void {
    for (const pod of this.#pods.membersOf(key)) {
      for (const address of this.#owners.ownedBy(pod)) this.#changed.add(address);
    }
  }

  #acquireTerm(term: PeerTerm): void {
    if ("nodes" in term) this.#nodes.acquire(term);
    else this.#pods.acquire(term);
  }

  #releaseTerm(term: PeerTerm): void {
    if ("nodes" in term) this.#nodes.release(term);
    else this.#pods.release(term);
  }

  *#addressesOf(term: string): Iterable<HostIp> {
    for (const pod of this.#pods.membersOf(term)) yield* this.#owners.ownedBy(pod);
    yield* this.#nodes.addressesOf(term);
  }

  *#allPorts(): Iterable<readonly [HostIp, Pod["ports"]]> {
    for (const [address, { ports }] of this.#owners.all()) yield [address, ports];
  }
}
