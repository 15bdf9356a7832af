import { awaitGracePeriod } from "../../../ffi/grace-period.ts";
import { NETLINK_NETFILTER, NetlinkSocket } from "../../../ffi/libnl.ts";
import { isSystemError } from "../../../ffi/system-error.ts";
import { errorText } from "../../base/errors.ts";
import type { RuleSet, RuleSetChange } from "../../policy/rule-set.ts";
import { Netlink } from "../netlink/conversation.ts";
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
import { baseChain, policyTable } from "./nft-names.ts";
import { NftPolicyTable, type TableStep } from "./nft-policy-table.ts";
import { rehearsal } from "./nft-rehearsal.ts";

/**
 * Policies in a table of our own in nf_tables. Every change leads it from one state to the next so that
 * a packet is judged by the rules before or those after ({@link NftPolicyTable}).
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
  #table: NftPolicyTable;
  #kernel: KernelTable | undefined;
  /** Whether what is in the kernel is what it was asked for last. */
  #isKnown = false;

  /** Does nothing yet. Its namespace is the one in which rules are put in place first. */
  constructor(options: EnforcerOptions) {
    this.#options = options;
    this.#table = new NftPolicyTable(options, this.labels);
  }

  replace(rules: RuleSet): void {
    showToFilters(this.#options.bridge);
    this.#kernel ??= new KernelTable();
    this.#isKnown = false;
    this.#kernel.replace(this.#table, rules);
    this.#isKnown = true;
  }

  apply(change: RuleSetChange, rules: RuleSet): void {
    const steps = this.#isKnown ? this.#table.change(change, rules) : undefined;
    if (steps === undefined) {
      this.replace(rules);
      return;
    }
    this.#isKnown = false;
    this.#kernel?.take(steps);
    this.#isKnown = true;
  }

  isSpoilt(): boolean {
    if (this.#kernel === undefined) return false;
    return this.#kernel.isOtherThan(this.#table) || !passesFilters(this.#options.bridge);
  }

  remove(): void {
    this.#kernel?.[Symbol.dispose]();
    this.#kernel = undefined;
    this.#isKnown = false;
    this.#table = new NftPolicyTable(this.#options, this.labels);
    removeNftablesPolicies();
    hideFromFilters(this.#options.bridge);
  }

  size(): EnforcerSize {
    const { ruleCounts, elementCounts, targetCount: targets } = this.#table;
    const [rules, elements] = [ruleCounts, elementCounts].map((counts) =>
      counts.values().reduce((sum, count) => sum + count, 0),
    ) as [number, number];
    return { sets: elementCounts.size, elements, chains: ruleCounts.size, rules, targets };
  }
}

/** Removes what an enforcer of any process has left; false when there was nothing. @throws SystemError */
export function removeNftablesPolicies(): boolean {
  using netlink = openNetfilter();
  return deleteTable(netlink, policyTable);
}

/**
 * Whether this kernel has all parts of nf_tables that {@link NftablesEnforcer} may need; a clause that
 * says what it has not. It is asked for a table with all of them that goes before it was there.
 */
export function missingForNftables(): string | undefined {
  try {
    using netlink = openNetfilter();
    rehearseTable(netlink, rehearsal());
    return undefined;
  } catch (error) {
    if (!isSystemError(error)) throw error;
    return `the kernel has not all of nf_tables: ${errorText(error)}`;
  }
}

/** The socket by which the table is changed, and the one that hears who else does. */
class KernelTable implements Disposable {
  readonly #netlink: Netlink;
  readonly #port: number;
  readonly #watch: NftWatch;
  /** Whether what is there is ours from its base chain on, by this process or one before. */
  #isOurs = true;

  /** @throws SystemError */
  constructor() {
    const socket = new NetlinkSocket(NETLINK_NETFILTER);
    this.#netlink = new Netlink(socket);
    this.#port = socket.port;
    this.#watch = new NftWatch(policyTable);
  }

  replace(table: NftPolicyTable, rules: RuleSet): void {
    const chains = this.#isOurs ? listChains(this.#netlink, policyTable) : [];
    if (chains.includes(baseChain)) {
      const sets = listSets(this.#netlink, policyTable);
      this.take(table.replace(rules, { chains, sets }));
    } else {
      replaceTable(this.#netlink, table.create(rules));
    }
    this.#isOurs = true;
  }

  take(steps: readonly TableStep[]): void {
    for (const { requests, isSwitch } of steps) {
      transact(this.#netlink, requests);
      if (isSwitch) awaitGracePeriod();
    }
  }

  /** Whether somebody has changed it, or for all that was heard might have, and it is different. */
  isOtherThan({ ruleCounts, elementCounts }: NftPolicyTable): boolean {
    const isOther =
      this.#watch.wasTouched(this.#port) ??
      !(this.#hasRules(ruleCounts) && this.#hasElements(elementCounts));
    if (isOther) this.#isOurs = false;
    return !this.#isOurs;
  }

  [Symbol.dispose](): void {
    this.#watch[Symbol.dispose]();
    this.#netlink.close();
  }

  #hasRules(wanted: ReadonlyMap<string, number>): boolean {
    const found = Map.groupBy(listRules(this.#netlink, policyTable), ({ chain }) => chain);
    return wanted.entries().every(([chain, count]) => (found.get(chain)?.length ?? 0) === count);
  }

  #hasElements(wanted: ReadonlyMap<string, number>): boolean {
    return wanted
      .entries()
      .every(([set, count]) => countElements(this.#netlink, policyTable, set) === count);
  }
}
