import { NETLINK_NETFILTER, NetlinkSocket } from "../../../ffi/libnl.ts";
import { isSystemError } from "../../../ffi/system-error.ts";
import { errorText } from "../../base/errors.ts";
import type { RuleSet, RuleSetChange } from "../../policy/rule-set.ts";
import { Netlink } from "../netlink/conversation.ts";
import { transact } from "../netlink/nft-message.ts";
import { countElements } from "../netlink/nft-set.ts";
import { NftWatch } from "../netlink/nft-watch.ts";
import { deleteTable, listRules, rehearseTable, replaceTable } from "../netlink/nftables.ts";
import { openNetfilter } from "../netlink/open.ts";
import { hideFromFilters, passesFilters, showToFilters } from "./bridged-packets.ts";
import type { EnforcerOptions, EnforcerSize, HostEnforcer } from "./host-enforcer.ts";
import { LogLabels } from "./log-labels.ts";
import { policyTable } from "./nft-names.ts";
import { NftPolicyTable } from "./nft-policy-table.ts";
import { rehearsal } from "./nft-rehearsal.ts";

/**
 * Policies in a table of our own in nf_tables, which every change leads from one state to the next
 * as a whole: a packet meets the rules before or those after, never a mixture.
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
  readonly #bridge: string;
  readonly #table: NftPolicyTable;
  #kernel: KernelTable | undefined;

  /** Does nothing yet. Its namespace is the one in which rules are put in place first. */
  constructor(options: EnforcerOptions) {
    this.#bridge = options.bridge;
    this.#table = new NftPolicyTable(options, this.labels);
  }

  replace(rules: RuleSet): void {
    showToFilters(this.#bridge);
    this.#kernel ??= new KernelTable();
    replaceTable(this.#kernel.netlink, this.#table.replace(rules));
  }

  apply(change: RuleSetChange, rules: RuleSet): void {
    const requests = this.#kernel === undefined ? undefined : this.#table.change(change, rules);
    if (this.#kernel === undefined || requests === undefined) this.replace(rules);
    else transact(this.#kernel.netlink, requests);
  }

  isSpoilt(): boolean {
    if (this.#kernel === undefined) return false;
    return !passesFilters(this.#bridge) || this.#kernel.isOtherThan(this.#table);
  }

  remove(): void {
    this.#kernel?.[Symbol.dispose]();
    this.#kernel = undefined;
    removeNftablesPolicies();
    hideFromFilters(this.#bridge);
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
  readonly netlink: Netlink;
  readonly #port: number;
  readonly #watch: NftWatch;

  /** @throws SystemError */
  constructor() {
    const socket = new NetlinkSocket(NETLINK_NETFILTER);
    this.netlink = new Netlink(socket);
    this.#port = socket.port;
    this.#watch = new NftWatch(policyTable);
  }

  /** Whether somebody has changed it, or for all that was heard might have, and it is different. */
  isOtherThan({ ruleCounts, elementCounts }: NftPolicyTable): boolean {
    return (
      this.#watch.wasTouched(this.#port) ??
      !(this.#hasRules(ruleCounts) && this.#hasElements(elementCounts))
    );
  }

  [Symbol.dispose](): void {
    this.#watch[Symbol.dispose]();
    this.netlink.close();
  }

  #hasRules(wanted: ReadonlyMap<string, number>): boolean {
    const found = Map.groupBy(listRules(this.netlink, policyTable), ({ chain }) => chain);
    return wanted.entries().every(([chain, count]) => (found.get(chain)?.length ?? 0) === count);
  }

  #hasElements(wanted: ReadonlyMap<string, number>): boolean {
    return wanted
      .entries()
      .every(([set, count]) => countElements(this.netlink, policyTable, set) === count);
  }
}
