import { awaitGracePeriod } from "../../../ffi/grace-period.ts";
import { isSystemError } from "../../../ffi/system-error.ts";
import { errorText } from "../../base/errors.ts";
import type { RuleSet, RuleSetChange } from "../../policy/rule-set.ts";
import { transact } from "../netlink/nft-message.ts";
import { countElements } from "../netlink/nft-set.ts";
import { NftWatch } from "../netlink/nft-watch.ts";
import {
  deleteTable,
  listChains,
  listRules,
  listSets,
  rehearseTable,
  replaceTable,
} from "../netlink/nftables.ts";
import { openNetfilter } from "../netlink/open.ts";
import { hideFromFilters, passesFilters, showToFilters } from "./bridged-packets.ts";
import type { EnforcerOptions, EnforcerSize, HostEnforcer } from "./host-enforcer.ts";
import { LogLabels } from "./log-labels.ts";
import { baseChain, policyTables } from "./nft-names.ts";
import { NftPolicyTable, type TableChange } from "./nft-policy-table.ts";
import { rehearsal } from "./nft-rehearsal.ts";

/**
 * Policies in tables of our own in nf_tables, one a family. Every change leads them from one state to
 * the next so that a packet is judged by the rules before or those after ({@link NftPolicyTable}).
 *
 *   forward ─ map of the pod's address ─▶ its chain ─ set of addresses, ports ─▶ verdict
 *
 * What a packet costs does not depend on how many policies, pods and addresses there are: packets of
 * connections that were let through leave at once, and others are judged by the policies of their own
 * pod alone.
 */
export class NftablesEnforcer implements HostEnforcer {
  readonly name = "nftables";
  readonly labels = new LogLabels();
  readonly #options: EnforcerOptions;
  #tables: readonly NftPolicyTable[];
  #kernel: KernelTables | undefined;
  /** Whether what is in the kernel is what it was asked for last. */
  #isKnown = false;

  /** Does nothing yet. Its namespace is the one in which rules are put in place first. */
  constructor(options: EnforcerOptions) {
    this.#options = options;
    this.#tables = this.#newTables();
  }

  replace(rules: RuleSet): void {
    showToFilters(this.#options.bridge);
    this.#kernel ??= new KernelTables();
    this.#isKnown = false;
    this.#kernel.replace(this.#tables, rules);
    this.#isKnown = true;
  }

  apply(change: RuleSetChange, rules: RuleSet): void {
    const changes = this.#isKnown
      ? this.#tables
          .map((table) => table.change(change, rules))
          .filter((each) => each !== undefined)
      : [];
    if (changes.length < this.#tables.length) {
      this.replace(rules);
      return;
    }
    this.#isKnown = false;
    this.#kernel?.take(changes);
    this.#isKnown = true;
  }

  isSpoilt(): boolean {
    if (this.#kernel === undefined) return false;
    return this.#kernel.areOtherThan(this.#tables) || !passesFilters(this.#options.bridge);
  }

  remove(): void {
    this.#kernel?.[Symbol.dispose]();
    this.#kernel = undefined;
    this.#isKnown = false;
    this.#tables = this.#newTables();
    removeNftablesPolicies();
    hideFromFilters(this.#options.bridge);
  }

  size(): EnforcerSize {
    const counts = (of: "ruleCounts" | "elementCounts"): number[] =>
      this.#tables.flatMap((table) => [...table[of].values()]);
    const [rules, elements] = [counts("ruleCounts"), counts("elementCounts")];
    return {
      ...{ sets: elements.length, elements: sum(elements) },
      ...{ chains: rules.length, rules: sum(rules) },
      targets: sum(this.#tables.map(({ targetCount }) => targetCount)),
    };
  }

  #newTables(): NftPolicyTable[] {
    return ipFamilies.map((family) => new NftPolicyTable(family, this.#options, this.labels));
  }
}

const ipFamilies = [4, 6] as const;

/** Removes what an enforcer of any process has left; false when there was nothing. @throws SystemError */
export function removeNftablesPolicies(): boolean {
  using netlink = openNetfilter();
  return Object.values(policyTables).filter((table) => deleteTable(netlink, table)).length > 0;
}

/**
 * Whether this kernel has all parts of nf_tables that {@link NftablesEnforcer} may need; a clause that
 * says what it has not. It is asked for a table with all of them that goes before it was there.
 *
 * @param dropsCut as of {@link EnforcerOptions}
 */
export function missingForNftables(dropsCut = false): string | undefined {
  try {
    using netlink = openNetfilter();
    for (const family of ipFamilies) rehearseTable(netlink, rehearsal(family, dropsCut));
    return undefined;
  } catch (error) {
    if (!isSystemError(error)) throw error;
    return `the kernel has not all of nf_tables: ${errorText(error)}`;
  }
}

/** The socket by which the tables are changed, and the one that hears who else does. */
class KernelTables implements Disposable {
  readonly #netlink = openNetfilter();
  readonly #watch = new NftWatch(Object.values(policyTables));
  /** Whether what is there is ours from base chains on, by this process or one before. */
  #isOurs = true;

  replace(tables: readonly NftPolicyTable[], rules: RuleSet): void {
    this.#watch.unheard(this.#netlink, () => this.#replace(tables, rules));
    this.#isOurs = true;
  }

  /** All of them at once: packets are waited for but one time. */
  take(changes: readonly TableChange[]): void {
    this.#watch.unheard(this.#netlink, () => this.#take(changes));
  }

  /** Returns how many transactions it took. */
  #replace(tables: readonly NftPolicyTable[], rules: RuleSet): number {
    const changes: TableChange[] = [];
    let made = 0;
    for (const table of tables) {
      const chains = this.#isOurs ? listChains(this.#netlink, table.id) : [];
      if (chains.includes(baseChain)) {
        const sets = listSets(this.#netlink, table.id);
        changes.push(table.replace(rules, { chains, sets }));
      } else {
        replaceTable(this.#netlink, table.create(rules));
        made += 1;
      }
    }
    return made + this.#take(changes);
  }

  /** Returns how many transactions it took. */
  #take(changes: readonly TableChange[]): number {
    let made = 0;
    for (const part of ["prepare", "switchOver", "finish"] as const) {
      const requests = changes.flatMap((change) => change[part]);
      if (requests.length === 0) continue;
      transact(this.#netlink, requests);
      made += 1;
      if (part === "switchOver") awaitGracePeriod();
    }
    return made;
  }

  /** Whether somebody has changed them, or for all that was heard might have, and they are different. */
  areOtherThan(tables: readonly NftPolicyTable[]): boolean {
    const areOther = this.#watch.wasTouched() ?? !tables.every((table) => this.#holds(table));
    if (areOther) this.#isOurs = false;
    return !this.#isOurs;
  }

  [Symbol.dispose](): void {
    this.#watch[Symbol.dispose]();
    this.#netlink.close();
  }

  #holds({ id, ruleCounts, elementCounts }: NftPolicyTable): boolean {
    const rules = Map.groupBy(listRules(this.#netlink, id), ({ chain }) => chain);
    return (
      ruleCounts.entries().every(([chain, count]) => (rules.get(chain)?.length ?? 0) === count) &&
      elementCounts
        .entries()
        .every(([set, count]) => countElements(this.#netlink, id, set) === count)
    );
  }
}

function sum(counts: readonly number[]): number {
  return counts.reduce((total, count) => total + count, 0);
}
