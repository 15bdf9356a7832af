import type { HostIp } from "../../base/ip.ts";
import { latestOf } from "../cluster.ts";
import type { Pod } from "../objects.ts";

/**
 * Whose each address is. An address may come to another pod before it is told that the former one is
 * gone (kubernetes.md §8.6): it belongs to the latest, and comes back when that one goes. What is
 * attached here is never outdone by what is told of others: it would be judged by nobody.
 */
export class AddressOwners {
  readonly #claims = new Map<HostIp, Map<string, Pod>>();
  readonly #owners = new Map<HostIp, Pod>();

  ownerOf(address: HostIp): Pod | undefined {
    return this.#owners.get(address);
  }

  /** All addresses that somebody has. */
  all(): Iterable<readonly [HostIp, Pod]> {
    return this.#owners;
  }

  /** Which of its addresses a pod really has. */
  *ownedBy(pod: Pod): Iterable<HostIp> {
    for (const address of new Set(pod.addresses)) {
      if (this.#owners.get(address)?.id === pod.id) yield address;
    }
  }

  put(pod: Pod): void {
    for (const address of pod.addresses) {
      const claims = this.#claims.get(address) ?? new Map<string, Pod>();
      this.#claims.set(address, claims.set(pod.id, pod));
      this.#decide(address, claims);
    }
  }

  /** A pod as it was put. */
  remove(pod: Pod): void {
    for (const address of pod.addresses) {
      const claims = this.#claims.get(address);
      if (claims?.delete(pod.id)) this.#decide(address, claims);
    }
  }

  #decide(address: HostIp, claims: ReadonlyMap<string, Pod>): void {
    const owner = latestOf(claims.values());
    if (owner !== undefined) {
      this.#owners.set(address, owner);
      return;
    }
    this.#owners.delete(address);
    this.#claims.delete(address);
  }
}
