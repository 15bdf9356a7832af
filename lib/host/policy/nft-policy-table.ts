import type { IpFamily } from "../../base/ip.ts";
import { judgesAnybody } from "../../policy/link-local.ts";
import type { RuleSet, RuleSetChange } from "../../policy/rule-set.ts";
import type { NetlinkRequest } from "../netlink/conversation.ts";
import type { NftTableId } from "../netlink/nft-message.ts";
import { flushSet, type NftSet } from "../netlink/nft-set.ts";
import {
  addRules,
  declareChain,
  deleteChain,
  emptyChain,
  type NftChain,
  type NftTable,
} from "../netlink/nftables.ts";
import type { LogLabels } from "./log-labels.ts";
import { type BaseChainOptions, forwardChain } from "./nft-base-chain.ts";
import type { ChainContext } from "./nft-chain.ts";
import {
  addressField,
  changedSets,
  newSets,
  removedSets,
  selfElements,
  setIds,
  targetElement,
  wholeSet,
} from "./nft-elements.ts";
import { baseChain, isTargetMap, policyTables, selfSet, targetMap } from "./nft-names.ts";
import { directions, NftPolicyChains, type Unit } from "./nft-policy-chains.ts";
import { NftPolicySets } from "./nft-policy-sets.ts";
import { NftPolicyTargets, type TargetMoves } from "./nft-policy-targets.ts";
import { type SetId, SetUsage, setsOf, textOfId } from "./set-usage.ts";

/** What leads a table from one rule set to the next, in three transactions. */
export interface TableChange {
  readonly prepare: readonly NetlinkRequest[];
  /** When there is any, packets that are on their way through what was before are waited for. */
  readonly switchOver: readonly NetlinkRequest[];
  readonly finish: readonly NetlinkRequest[];
}

/** What there is in a table. */
export interface TableNames {
  readonly chains: readonly string[];
  readonly sets: readonly string[];
}

const nothing: TableNames = { chains: [], sets: [] };

/**
 * What the table of policies of a family holds, and which transactions lead from one rule set to the
 * next. Of a transaction a packet that is on its way through the table sees the old rules, but the new
 * elements of sets: so sets and rules never change at once. Up to three follow each other:
 *
 *   prepare   what nothing leads to yet: chains that are new or other, maps that lead to them; and in
 *             sets in use what lets less through
 *   switch    the base chain has the new maps: from here on each packet that comes is judged by the
 *             new rules; those that came before are waited for
 *   finish    in sets in use what lets more through; what nothing leads to any more goes
 *
 * A set whose elements open for some rules and close for others is made anew like a chain
 * ({@link SetUsage}), and so is one that has no room for more. While no pod has an address of the family
 * there is the base chain alone.
 */
export class NftPolicyTable {
  readonly id: NftTableId;
  readonly #family: IpFamily;
  readonly #options: BaseChainOptions;
  readonly #context: ChainContext;
  readonly #sets: NftPolicySets;
  readonly #chains: NftPolicyChains;
  readonly #targets: NftPolicyTargets;
  #units: ReadonlyMap<string, Unit> = new Map();
  #usage = new SetUsage();
  /** Whether anybody is judged, of whichever family. */
  #judgesAnybody = false;

  constructor(family: IpFamily, options: BaseChainOptions, labels: LogLabels) {
    this.id = policyTables[family];
    this.#family = family;
    this.#options = options;
    const { bridge } = options;
    this.#context = { family, bridge, labels, nameOfSet: (stem) => this.#sets.names.of(stem) };
    this.#sets = new NftPolicySets(family);
    this.#chains = new NftPolicyChains(this.#context);
    this.#targets = new NftPolicyTargets(family);
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
    return { ...this.id, sets, chains: [this.#forward(), ...chains] };
  }

  /** Puts all of it in the place of what a table of ours has. */
  replace(rules: RuleSet, standing: TableNames): TableChange {
    const { sets, chains } = this.#begin(rules, standing);
    const former = standing.chains.filter((name) => name !== baseChain);
    const prepare = [
      ...this.#sets.declare(sets),
      ...chains.map((chain) => declareChain(this.id, chain)),
      ...this.#sets.fill(sets),
      ...chains.flatMap((chain) => addRules(this.id, chain)),
    ];
    this.#chains.end(former);
    const finish = [
      // Chains that a map leads to could not go; of other sets all elements go at once with the set.
      ...standing.sets.filter(isTargetMap).map((name) => flushSet(this.id, name)),
      ...this.#removeChains(former),
      ...this.#sets.end(standing.sets),
    ];
    return { prepare, switchOver: this.#switch(), finish };
  }

  #begin(rules: RuleSet, standing: TableNames) {
    this.#sets.clear(standing.sets);
    this.#chains.clear(standing.chains);
    this.#usage = new SetUsage();
    this.#units = this.#chains.unitsOf(rules);
    for (const { chain } of this.#units.values()) this.#usage.add(chain);
    this.#targets.replace(rules);
    this.#judgesAnybody = judgesAnybody(rules);
    if (!this.#isJudging) return { sets: [], chains: [] };
    const sets = setIds(rules).map((id) => this.#beginSet(id, rules));
    const self = this.#beginSelf();
    const chains = this.#beginChains(this.#units.keys());
    return { chains, sets: [self, ...this.#beginMaps(), ...sets] };
  }

  get #isJudging(): boolean {
    return this.#targets.count > 0;
  }

  /**
   * Leads from the rules that it was asked for last to these; `undefined` when only {@link replace}
   * does, because the first pod has an address of the family, or none has one any more; and in the table
   * of IPv6 because anybody is judged at all, or nobody any more.
   */
  change(change: RuleSetChange, rules: RuleSet): TableChange | undefined {
    const wasJudging = this.#isJudging;
    const moves = this.#targets.move(change);
    const isOther = this.#family === 6 && judgesAnybody(rules) !== this.#judgesAnybody;
    if (this.#isJudging !== wasJudging || isOther) return undefined;
    if (!wasJudging) return { prepare: [], switchOver: [], finish: [] };
    const units = this.#changeUnits(change, rules);
    const sets = this.#changeSets(change, rules);
    units.settle();
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
      finish.push(...former.map((name) => flushSet(this.id, name)), ...this.#sets.end(former));
    }
    finish.push(...chains.remove, ...sets.remove);
    return { prepare, switchOver, finish };
  }

  /** `settle` is to be called when it was asked what elements of sets do under old and new rules. */
  #changeUnits(change: RuleSetChange, rules: RuleSet) {
    const before = this.#units;
    this.#units = this.#chains.unitsOf(rules);
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
    const changed = Map.groupBy(changedSets(this.#family, change), (each) =>
      this.#sets.hasRoomFor(each) ? this.#usage.effectOf(each.id) : "either",
    );
    const [opening, closing] = [changed.get("opens") ?? [], changed.get("closes") ?? []];
    const phases = {
      close: [
        ...opening.flatMap((each) => this.#sets.remove(each)),
        ...closing.flatMap((each) => this.#sets.add(each)),
      ],
      open: [
        ...closing.flatMap((each) => this.#sets.remove(each)),
        ...opening.flatMap((each) => this.#sets.add(each)),
      ],
    };
    const swapped = (changed.get("either") ?? []).map(({ id }) => id);
    const gone = removedSets(change);
    const leaving = [...swapped, ...gone].map((id) => this.#sets.nameOf(id));
    const made = [...swapped, ...newSets(change)].map((id) => this.#beginSet(id, rules));
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
        ...built.map((chain) => declareChain(this.id, chain)),
        ...built.flatMap((chain) => addRules(this.id, chain)),
      ],
      remove: this.#removeChains(former),
    };
  }

  /** Those that are judged may reach themselves: from before they are to after they were. */
  #changeSelves({ coming, going }: TargetMoves) {
    return {
      add: this.#sets.addTo(selfSet, selfElements(this.#family, coming)),
      remove: this.#sets.removeFrom(selfSet, selfElements(this.#family, going)),
    };
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
    return [...stems].flatMap((stem) => this.#chains.begin(stem, this.#units.get(stem)!));
  }

  #beginSet(id: SetId, rules: RuleSet): NftSet {
    return this.#sets.begin(id, wholeSet(this.#family, rules, id));
  }

  #beginSelf(): NftSet {
    const key = [addressField[this.#family], addressField[this.#family]];
    const elements = selfElements(this.#family, this.#targets.judged);
    return this.#sets.beginOne(selfSet, { key, elements });
  }

  /** They are never changed: what is in them is all that there is room for. */
  #beginMaps(): NftSet[] {
    return directions.map((direction) => {
      const elements = Array.from(this.#targets.of(direction), ([ip, key]) =>
        targetElement(direction, ip, this.#chains.chainOf(direction, key)),
      );
      return this.#sets.beginOne(targetMap(direction), {
        ...{ key: [addressField[this.#family]], data: "verdict", elements },
        room: Math.max(1, elements.length),
      });
    });
  }

  #mapNames(): string[] {
    return directions.map((direction) => this.#sets.names.of(targetMap(direction)));
  }

  #switch(): NetlinkRequest[] {
    return [emptyChain(this.id, baseChain), ...addRules(this.id, this.#forward())];
  }

  #forward(): NftChain {
    const judging = { ofPods: this.#isJudging, ofAnybody: this.#judgesAnybody };
    const chain = forwardChain(this.#options, judging, this.#context);
    this.#chains.count(chain);
    return chain;
  }

  /** They lead to each other: all are emptied before the first goes. */
  #removeChains(names: readonly string[]): NetlinkRequest[] {
    return [
      ...names.map((name) => emptyChain(this.id, name)),
      ...names.map((name) => deleteChain(this.id, name)),
    ];
  }
}
