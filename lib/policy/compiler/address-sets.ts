import type { HostIp } from "../../base/ip.ts";
import type { AddressQuery } from "../peer-matches.ts";
import type { RuleSet, SetChanges, SetKey } from "../rule-set.ts";
import { ToldSets } from "./told-sets.ts";

/** Addresses of pods and machines: each set is the union of its terms, each term in many sets. */
export class AddressSets {
  readonly #sets = new ToldSets<AddressQuery, HostIp, HostIp, Set<HostIp>>({
    empty: () => new Set(),
    elements: (told) => ({
      has: (address) => told.has(address),
      insert: (address) => told.add(address),
      delete: (address) => told.delete(address),
    }),
  });
  readonly #byTerm = new Map<string, Set<SetKey>>();

  get published(): RuleSet["sets"] {
    return this.#sets.published;
  }

  /** @param addressesOf those that a term stands for at this moment */
  acquire(query: AddressQuery, addressesOf: (term: string) => Iterable<HostIp>): boolean {
    if (!this.#sets.acquire(query)) return false;
    for (const { key } of query.terms) {
      const sets = this.#byTerm.get(key) ?? new Set<SetKey>();
      this.#byTerm.set(key, sets.add(query.key));
      for (const address of addressesOf(key)) this.#sets.count(query.key, address, address, 1);
    }
    return true;
  }

  release(key: SetKey): void {
    this.#sets.release(key);
  }

  /** A term stands for one address more, or with −1 for one less. */
  count(term: string, address: HostIp, difference: 1 | -1): void {
    for (const key of this.#byTerm.get(term) ?? []) {
      this.#sets.count(key, address, address, difference);
    }
  }

  sweep(): AddressQuery[] {
    const unused = this.#sets.sweep();
    for (const { key: set, terms } of unused) {
      for (const { key } of terms) {
        const sets = this.#byTerm.get(key);
        sets?.delete(set);
        if (sets?.size === 0) this.#byTerm.delete(key);
      }
    }
    return unused;
  }

  tell(): SetChanges<HostIp> {
    return this.#sets.tell();
  }
}
