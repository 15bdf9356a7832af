import type { HostIp } from "../../base/ip.ts";
import type { NamedPort } from "../objects.ts";
import type { PortQuery } from "../port-matches.ts";
import {
  formatPortElement,
  type PortElement,
  type RuleSet,
  type SetChanges,
  type SetKey,
} from "../rule-set.ts";
import { ToldSets } from "./told-sets.ts";

/** Where pods have ports under a name. */
export class PortSets {
  readonly #sets = new ToldSets<PortQuery, string, PortElement, Map<string, PortElement>>({
    empty: () => new Map(),
    elements: (told) => ({
      has: (id) => told.has(id),
      insert: (id, element) => told.set(id, element),
      delete: (id) => told.delete(id),
    }),
  });
  readonly #byName = new Map<string, Map<SetKey, PortQuery>>();

  get published(): RuleSet["portSets"] {
    return this.#sets.published;
  }

  /** @param ports all that pods have at this moment, whatever they are called */
  acquire(query: PortQuery, ports: () => Iterable<readonly [HostIp, readonly NamedPort[]]>): void {
    if (!this.#sets.acquire(query)) return;
    const sets = this.#byName.get(query.name) ?? new Map<SetKey, PortQuery>();
    this.#byName.set(query.name, sets.set(query.key, query));
    for (const [address, named] of ports()) {
      for (const port of named) this.#count(query, address, port, 1);
    }
  }

  release(key: SetKey): void {
    this.#sets.release(key);
  }

  /** An address has these ports more, or with −1 no more. */
  count(address: HostIp, ports: readonly NamedPort[], difference: 1 | -1): void {
    for (const port of ports) {
      for (const query of this.#byName.get(port.name)?.values() ?? []) {
        this.#count(query, address, port, difference);
      }
    }
  }

  sweep(): void {
    for (const { key, name } of this.#sets.sweep()) {
      const sets = this.#byName.get(name);
      sets?.delete(key);
      if (sets?.size === 0) this.#byName.delete(name);
    }
  }

  tell(): SetChanges<PortElement> {
    return this.#sets.tell();
  }

  #count(query: PortQuery, address: HostIp, named: NamedPort, difference: 1 | -1): void {
    const { name, protocol, port } = named;
    if (name !== query.name || (query.protocol ?? protocol) !== protocol) return;
    const element = { address, protocol, port };
    this.#sets.count(query.key, formatPortElement(element), element, difference);
  }
}
