import { familyOf, type HostIp, type IpFamily } from "../../base/ip.ts";
import type { RuleSet, RuleSetChange } from "../../policy/rule-set.ts";
import type { NetlinkRequest } from "../netlink/conversation.ts";
import { flushSet, type NftSet } from "../netlink/nft-set.ts";
import {
  addRules,
  declareChain,
  deleteChain,
  emptyChain,
  type NftChain,
  type NftTable,
} from "../netlink/nftables.ts";
import type { EnforcerOptions } from "./host-enforcer.ts";
import type { LogLabels } from "./log-labels.ts";
import { forwardChain } from "./nft-base-chain.ts";
import {
  addressField,
  type ChangedSet,
  changedSets,
  newSets,
  removedSets,
  selfElements,
  setIds,
  targetElement,
  wholeSet,
} from "./nft-elements.ts";
import { baseChain, policyTable, selfSet, targetMap } from "./nft-names.ts";
import { directions, NftPolicyChains, type Unit, unitsOf } from "./nft-policy-chains.ts";
import { NftPolicySets } from "./nft-policy-sets.ts";
import { NftPolicyTargets, type TargetMoves } from "./nft-policy-targets.ts";
import { type SetId, SetUsage, setsOf, textOfId } from "./set-usage.ts";

/** One transaction of several. */
export interface TableStep {
  readonly requests: readonly NetlinkRequest[];
  /** Whether the next one has to wait for packets that are on their way through what was before. */
  readonly isSwitch: boolean;
}

/** What there is in a table. */
export interface TableNames {
  readonly chains: readonly string[];
  readonly sets: readonly string[];
}

const nothing: TableNames = { chains: [], sets: [] };

/**
 * What the table of policies holds, and which transactions lead from one rule set to the next. Of a
 * transaction a packet that is on its way through the table sees the old rules, but the new elements
 * of sets: so sets and rules never change at once. Up to three follow each other:
 *
 *   prepare   what nothing leads to yet: chains that are new or other, maps that lead to them; and in
 *             sets in use what lets less through
 *   switch    the base chain has the new maps: from here on each packet that comes is judged by the
 *             new rules; those that came before are waited for
 *   finish    in sets in use what lets more through; what nothing leads to any more goes
 *
 * A set whose elements open for some rules and close for others is made anew like a chain
 * ({@link SetUsage}).
 */
export class NftPolicyTable {
  readonly #options: Pick<EnforcerOptions, "bridge" | "multicast">;
  readonly #labels: LogLabels;
  readonly #sets = new NftPolicySets();
  readonly #chains: NftPolicyChains;
  readonly #targets = new NftPolicyTargets();
  #families: readonly IpFamily[] = [];
  #units: ReadonlyMap<string, Unit> = new Map();
  #usage = new SetUsage();

  constructor(options: Pick<EnforcerOptions, "bridge" | "multicast">, labels: LogLabels) {
    this.#options = options;
    this.#labels = labels;
    this.#chains = new NftPolicyChains(labels);
  }

  /** Of each chain by its name. */
  get ruleCounts(): ReadonlyMap<string, number> {
    return this.#chains.counts;
  }

  /** Of each set by its name. */
  get elementCounts(): ReadonlyMap<string, number> {
    return this.#sets.counts;
  }

  /** Addresses that are judged, once for each direction. */
  get targetCount(): number {
    return this.#targets.count;
  }

  /** All of it, for a table that is made. */
  create(rules: RuleSet): NftTable {
    const { sets, chains } = this.#begin(rules, nothing);
    return { ...policyTable, sets, chains: [this.#forward(), ...chains] };
  }

  /** Transactions that put all of it in the place of what a table of ours has. */
  replace(rules: RuleSet, standing: TableNames): TableStep[] {
    const { sets, chains } = this.#begin(rules, standing);
    const former = standing.chains.filter((name) => name !== baseChain);
    const prepare = [
      ...this.#sets.declare(sets),
      ...chains.map((chain) => declareChain(policyTable, chain)),
      ...this.#sets.fill(sets),
      ...chains.flatMap((chain) => addRules(policyTable, chain)),
    ];
    this.#chains.end(former);
    const finish = [
      ...standing.sets.map((name) => flushSet(policyTable, name)),
      ...removeChains(former),
      ...this.#sets.end(standing.sets),
    ];
    return stepsOf(prepare, this.#switch(), finish);
  }

  #begin(rules: RuleSet, standing: TableNames) {
    this.#families = familiesOf(rules);
    this.#sets.clear(this.#families, standing.sets);
    this.#chains.clear(standing.chains);
    this.#usage = new SetUsage();
    this.#units = unitsOf(rules);
    for (const { chain } of this.#units.values()) this.#usage.add(chain);
    this.#targets.replace(rules);
    const sets = setIds(rules).flatMap((id) => this.#sets.begin(id, wholeSet(rules, id)));
    const selves = this.#families.map((family) => this.#beginSelf(family));
    const chains = this.#beginChains(this.#units.keys());
    return { chains, sets: [...selves, ...this.#beginMaps(), ...sets] };
  }

  /**
   * Transactions that lead from the rules that it was asked for last to these; `undefined` when only
   * {@link replace} does, because pods have addresses of other families.
   */
  change(change: RuleSetChange, rules: RuleSet): TableStep[] | undefined {
    if (familiesOf(rules).join() !== this.#families.join()) return undefined;
    const units = this.#changeUnits(change, rules);
    const sets = this.#changeSets(change, rules);
    units.settle();
    const moves = this.#targets.move(change);
    const selves = this.#changeSelves(moves);
    const put = new Set([...units.put, ...this.#unitsWith(sets.swapped)]);
    const chains = this.#changeChains(put, units.gone);
    const [prepare, finish] = [
      [...sets.make, ...sets.close, ...selves.add, ...chains.make],
      [...sets.open, ...selves.remove],
    ];
    let switchOver: NetlinkRequest[] = [];
    if (put.size + units.gone.length > 0 || moves.any) {
      const former = this.#mapNames();
      const maps = this.#beginMaps();
      prepare.push(...this.#sets.declare(maps), ...this.#sets.fill(maps));
      switchOver = this.#switch();
      finish.push(...former.map((name) => flushSet(policyTable, name)), ...this.#sets.end(former));
    }
    finish.push(...chains.remove, ...sets.remove);
    return stepsOf(prepare, switchOver, finish);
  }

  /** `settle` is to be called when it was asked what elements of sets do under old and new rules. */
  #changeUnits(change: RuleSetChange, rules: RuleSet) {
    const before = this.#units;
    this.#units = unitsOf(rules);
    const put = [...this.#units].flatMap(([stem, { key }]) =>
      !before.has(stem) || change.chains.put.has(key) ? [stem] : [],
    );
    const gone = [...before.keys()].filter((stem) => !this.#units.has(stem));
    for (const stem of put) this.#usage.add(this.#units.get(stem)!.chain);
    const settle = (): void => {
      for (const stem of [...put, ...gone]) {
        const former = before.get(stem);
        if (former !== undefined) this.#usage.remove(former.chain);
      }
    };
    return { put, gone, settle };
  }

  #changeSets(change: RuleSetChange, rules: RuleSet) {
    const changed = Map.groupBy(changedSets(change), ({ id }) => this.#usage.effectOf(id));
    const [opening, closing] = [changed.get("opens") ?? [], changed.get("closes") ?? []];
    const added = (sets: readonly ChangedSet[]) =>
      sets.flatMap(({ id, add }) => this.#sets.add(id, add));
    const removed = (sets: readonly ChangedSet[]) =>
      sets.flatMap(({ id, remove }) => this.#sets.remove(id, remove));
    const phases = {
      close: [...removed(opening), ...added(closing)],
      open: [...removed(closing), ...added(opening)],
    };
    const swapped = (changed.get("either") ?? []).map(({ id }) => id);
    const gone = removedSets(change);
    const leaving = [...swapped, ...gone].flatMap((id) => this.#sets.namesOf(id));
    const made = [...swapped, ...newSets(change)].flatMap((id) =>
      this.#sets.begin(id, wholeSet(rules, id)),
    );
    const make = [...this.#sets.declare(made), ...this.#sets.fill(made)];
    return { ...phases, make, swapped, remove: this.#sets.end(leaving, gone) };
  }

  #changeChains(put: ReadonlySet<string>, gone: readonly string[]) {
    const former = [...put, ...gone].flatMap((stem) => this.#chains.namesOf(stem));
    for (const stem of gone) this.#chains.forget(stem);
    const built = this.#beginChains(put);
    this.#chains.end(former);
    return {
      make: [
        ...built.map((chain) => declareChain(policyTable, chain)),
        ...built.flatMap((chain) => addRules(policyTable, chain)),
      ],
      remove: removeChains(former),
    };
  }

  /** Those that are judged may reach themselves: from before they are to after they were. */
  #changeSelves({ coming, going }: TargetMoves) {
    const changed = (change: "addTo" | "removeFrom", addresses: readonly HostIp[]) =>
      this.#families.flatMap((family) =>
        this.#sets[change](selfSet(family), selfElements(family, addresses)),
      );
    return { add: changed("addTo", coming), remove: changed("removeFrom", going) };
  }

  #unitsWith(sets: readonly SetId[]): string[] {
    if (sets.length === 0) return [];
    const texts = new Set(sets.map(textOfId));
    return [...this.#units].flatMap(([stem, { chain }]) => {
      const used = chain.tiers.flat().flatMap(setsOf).map(textOfId);
      return used.some((text) => texts.has(text)) ? [stem] : [];
    });
  }

  #beginChains(stems: Iterable<string>): NftChain[] {
    return [...stems].flatMap((stem) =>
      this.#chains.begin(stem, this.#units.get(stem)!, this.#nameOfSet),
    );
  }

  #beginSelf(family: IpFamily): NftSet {
    const key = [addressField[family], addressField[family]];
    const elements = selfElements(family, this.#targets.judged);
    return this.#sets.beginOne(selfSet(family), { key, elements });
  }

  #beginMaps(): NftSet[] {
    return this.#families.flatMap((family) =>
      directions.map((direction) => {
        const elements = this.#targets
          .of(direction, family)
          .map(([ip, key]) => targetElement(ip, this.#chains.chainOf(direction, ip, key)));
        const content = { key: [addressField[family]], data: "verdict", elements } as const;
        return this.#sets.beginOne(targetMap(direction, family), content);
      }),
    );
  }

  #mapNames(): string[] {
    return this.#families.flatMap((family) =>
      directions.map((direction) => this.#nameOfSet(targetMap(direction, family))),
    );
  }

  #switch(): NetlinkRequest[] {
    return [emptyChain(policyTable, baseChain), ...addRules(policyTable, this.#forward())];
  }

  #forward(): NftChain {
    const context = { labels: this.#labels, nameOfSet: this.#nameOfSet };
    const chain = forwardChain(this.#options, this.#families, context);
    this.#chains.count(chain);
    return chain;
  }

  readonly #nameOfSet = (stem: string): string => this.#sets.names.of(stem);
}

function stepsOf(
  prepare: readonly NetlinkRequest[],
  switchOver: readonly NetlinkRequest[],
  finish: readonly NetlinkRequest[],
): TableStep[] {
  const steps = [prepare, switchOver, finish].map((requests) => ({
    ...{ requests, isSwitch: requests === switchOver },
  }));
  return steps.filter(({ requests }) => requests.length > 0);
}

/** They lead to each other: all are emptied before the first goes. */
function removeChains(names: readonly string[]): NetlinkRequest[] {
  return [
    ...names.map((name) => emptyChain(policyTable, name)),
    ...names.map((name) => deleteChain(policyTable, name)),
  ];
}

function familiesOf({ targets }: RuleSet): readonly IpFamily[] {
  const all = directions.flatMap((direction) => [...targets[direction].keys()].map(familyOf));
  return [...new Set(all)].sort();
}
