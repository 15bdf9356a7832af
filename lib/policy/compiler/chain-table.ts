import { type ChainDraft, draftChain } from "../chain-draft.ts";
import type { Direction } from "../objects.ts";
import { type Chain, type ChainKey, heldKey, type RuleSetChange } from "../rule-set.ts";
import { chainKeyOf, type PolicyKey, type PolicyTable } from "./policy-table.ts";
import type { Population } from "./population.ts";

interface Entry {
  readonly direction: Direction;
  readonly policies: readonly PolicyKey[];
  draft: ChainDraft;
  /** How many addresses are judged by it. */
  users: number;
}

/** Chains that are in use, each for one combination of policies, and what was told of them. */
export class ChainTable {
  /** As told so far. */
  readonly published = new Map<ChainKey, Chain>();
  readonly #policies: PolicyTable;
  readonly #population: Population;
  readonly #entries = new Map<ChainKey, Entry>();
  readonly #byPolicy = new Map<PolicyKey, Set<ChainKey>>();
  readonly #touched = new Set<ChainKey>();

  constructor(policies: PolicyTable, population: Population) {
    this.#policies = policies;
    this.#population = population;
  }

  /** One address more is judged by the chain of these policies. */
  acquire(direction: Direction, policies: readonly PolicyKey[]): ChainKey {
    const key = chainKeyOf(direction, policies);
    return this.#acquire(key, () => {
      for (const policy of policies) {
        const chains = this.#byPolicy.get(policy) ?? new Set<ChainKey>();
        this.#byPolicy.set(policy, chains.add(key));
      }
      return { direction, policies, draft: this.#draft(direction, policies), users: 1 };
    });
  }

  /** One address more has all of its connections denied. */
  acquireHeld(): ChainKey {
    const [addresses, ports] = [[], []];
    const draft = { chain: heldChain, addresses, ports };
    return this.#acquire(heldKey, () => ({ direction: "ingress", policies: [], draft, users: 1 }));
  }

  /** The chain stays until the next {@link sweep}: another address may need it by then. */
  release(key: ChainKey): void {
    this.#entries.get(key)!.users -= 1;
    this.#touched.add(key);
  }

  /** Makes the chains of policies that have changed anew: each once, however many of them it is of. */
  redraft(policies: readonly PolicyKey[]): void {
    const chains = new Set(policies.flatMap((policy) => [...(this.#byPolicy.get(policy) ?? [])]));
    for (const key of chains) {
      // One that nobody has been told of has just been made, of the policies as they are.
      if (!this.published.has(key)) continue;
      const entry = this.#entries.get(key)!;
      const before = entry.draft;
      entry.draft = this.#draft(entry.direction, entry.policies);
      this.#releaseSets(before);
      this.#touched.add(key);
    }
  }

  /** Takes out the chains by which no address is judged any more. */
  sweep(): void {
    for (const key of this.#touched) {
      const entry = this.#entries.get(key);
      if (entry === undefined || entry.users > 0) continue;
      this.#entries.delete(key);
      this.#releaseSets(entry.draft);
      for (const policy of entry.policies) {
        const chains = this.#byPolicy.get(policy);
        chains?.delete(key);
        if (chains?.size === 0) this.#byPolicy.delete(policy);
      }
    }
  }

  /** What has to be told of all chains, which counts as told from then on. */
  tell(): RuleSetChange["chains"] {
    const put = new Map<ChainKey, Chain>();
    const remove: ChainKey[] = [];
    for (const key of this.#touched) {
      const chain = this.#entries.get(key)?.draft.chain;
      const before = this.published.get(key);
      if (chain === undefined) {
        if (this.published.delete(key)) remove.push(key);
      } else if (before === undefined || textOf(before) !== textOf(chain)) {
        this.published.set(key, chain);
        put.set(key, chain);
      }
    }
    this.#touched.clear();
    return { put, remove };
  }

  #acquire(key: ChainKey, make: () => Entry): ChainKey {
    const known = this.#entries.get(key);
    if (known === undefined) this.#entries.set(key, make());
    else known.users += 1;
    this.#touched.add(key);
    return key;
  }

  #draft(direction: Direction, policies: readonly PolicyKey[]): ChainDraft {
    const draft = draftChain(direction, this.#policies.all(policies));
    for (const query of draft.addresses) this.#population.acquireAddresses(query);
    for (const query of draft.ports) this.#population.acquirePorts(query);
    return draft;
  }

  #releaseSets({ addresses, ports }: ChainDraft): void {
    for (const { key } of addresses) this.#population.addresses.release(key);
    for (const { key } of ports) this.#population.ports.release(key);
  }
}

const heldChain: Chain = {
  tiers: [[{ peer: { kind: "any" }, ports: "any", verdict: "deny", origin: "pod not known yet" }]],
};

/** Equal for chains that say the same. */
function textOf(chain: Chain): string {
  return JSON.stringify(chain, (_, value) => (typeof value === "bigint" ? `${value}n` : value));
}
