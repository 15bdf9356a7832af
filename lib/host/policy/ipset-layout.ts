import type { IpFamily } from "../../base/ip.ts";
import type { RuleSet, RuleSetChange } from "../../policy/rule-set.ts";
import {
  FamilyChains,
  type Found,
  type SetNames,
  type Unit,
  unitId,
  unitsOf,
} from "./ipset-chains.ts";
import { changeSets, newSets } from "./ipset-changes.ts";
import type { EntryOptions } from "./ipset-entry.ts";
import { blockInSet } from "./ipset-lines.ts";
import { blockId, IpsetBook, type SetId } from "./ipset-sets.ts";
import { blockElements, type Step } from "./ipset-step.ts";
import { IpsetTargets } from "./ipset-targets.ts";
import { SetUsage, setsOf, textOfId } from "./set-usage.ts";
import { ShortNames } from "./short-name.ts";

/**
 * In which order a kernel is told of other rules. All rules of a family change at once, but every
 * element of every set by itself; yet at no moment more is let through than the rules before or
 * those after allow:
 *
 *   make     sets that no rule refers to yet, with all their elements
 *   close    in sets in use: what lets less through
 *   restore  chains, and who leads to them, at once
 *   open     in sets in use: what lets more through
 *   destroy  sets that no rule refers to any more
 *
 * Why that holds. An element opens when all rules with its set allow, and closes when all of them
 * deny ({@link SetUsage}, counted over the rules before and after together): the first rule that
 * matches decides, so of two packet filters that differ in one opening element the one with it lets
 * through what the other does, and more. A target closes: who is in no set of targets is not judged,
 * and who is in two must be allowed by both chains. So
 *
 *   - each step of `close` leads from rules that let through no more than those before to such again;
 *   - after `restore` the chains are those after, and with them what is still to be opened is
 *     missing and what is closed is there: no more passes than after the last step;
 *   - each step of `open` leads towards that, and nothing of it is taken back.
 *
 * A set that is neither, in rules that allow and rules that deny, say, is not changed at all: a new
 * one with the new elements takes its place with `restore`. {@link replace} does so with every set.
 */
export class IpsetLayout {
  readonly #chains: ReadonlyMap<IpFamily, FamilyChains>;
  readonly #sets: IpsetBook;
  readonly #usage = new SetUsage();
  /** Of keys of the latest units. */
  readonly #shortNames = new ShortNames();
  readonly #targets: IpsetTargets;
  readonly #guards: ReadonlyMap<IpFamily, FamilyChains>;
  #units: ReadonlyMap<string, Unit> = new Map();
  #blocks: ReadonlyMap<string, SetId> = new Map();

  /**
   * Nothing is in place yet: the first that is asked for is {@link replace}.
   *
   * @param guarded families in which nobody is judged, and packets are asked what they are all the same
   */
  constructor(
    families: readonly IpFamily[],
    entry: EntryOptions,
    guarded: readonly IpFamily[] = [],
  ) {
    this.#guards = new Map(guarded.map((family) => [family, new FamilyChains(family, entry)]));
    this.#chains = new Map(families.map((family) => [family, new FamilyChains(family, entry)]));
    this.#sets = new IpsetBook(families);
    this.#targets = new IpsetTargets(this.#sets, (direction, key) =>
      unitId(direction, this.#shortNames.of(key)),
    );
  }

  get families(): readonly IpFamily[] {
    return [...this.#chains.keys()];
  }

  /** By name, how many elements each set is to have. */
  get setSizes(): ReadonlyMap<string, number> {
    return this.#sets.sizes;
  }

  /** Addresses that are judged, once for each direction. */
  get targetCount(): number {
    return this.#targets.count;
  }

  /** Of all families. */
  chainSizes(): { readonly chains: number; readonly rules: number } {
    const sizes = [...this.#chains.values()].map((chains) => chains.size());
    return {
      chains: sizes.reduce((sum, { chains }) => sum + chains, 0),
      rules: sizes.reduce((sum, { rules }) => sum + rules, 0),
    };
  }

  /**
   * From whatever there is of ours to these rules.
   *
   * @param leaving names of the sets there are: they are destroyed
   */
  replace(rules: RuleSet, leaving: readonly string[], found: ReadonlyMap<IpFamily, Found>): Step[] {
    this.#sets.avoid(leaving);
    this.#units = unitsOf(rules, this.#shortNames);
    for (const { chain } of this.#units.values()) this.#usage.add(chain);
    this.#targets.replace(rules);
    const make = [
      ...newSets(rules.sets, rules.portSets).flatMap(({ id, elements }) =>
        this.#sets.create(id, elements),
      ),
      ...this.#targets.make([...this.#units.keys()]),
      ...this.#makeBlocks(),
    ];
    const restore = [...this.#chains].map(([family, chains]): Step => {
      const lines = chains.replace(this.#units, this.#names(family), found.get(family)!);
      return { kind: "restore", family, lines };
    });
    const guard = [...this.#guards].map(([family, chains]): Step => {
      const lines = chains.replace(new Map(), this.#names(family), found.get(family)!);
      return { kind: "restore", family, lines };
    });
    return [
      ...make,
      ...guard,
      ...restore,
      ...leaving.map((set): Step => ({ kind: "destroy", set })),
    ];
  }

  /**
   * From the rules that it was asked for last to these.
   *
   * @param leaving names of sets that are to be gone, and may still be there
   */
  change(change: RuleSetChange, rules: RuleSet, leaving: Iterable<string>): Step[] {
    this.#sets.avoid(leaving);
    const before = this.#units;
    this.#units = unitsOf(rules, this.#shortNames);
    const added = [...this.#units.keys()].filter((id) => !before.has(id));
    const removed = [...before.keys()].filter((id) => !this.#units.has(id));
    const changed = [...this.#units].flatMap(([id, { key }]) =>
      before.has(id) && change.chains.put.has(key) ? [id] : [],
    );
    for (const id of [...added, ...changed]) this.#usage.add(this.#units.get(id)!.chain);
    const make = newSets(change.sets.add, change.portSets.add).flatMap(({ id, elements }) =>
      this.#sets.create(id, elements),
    );
    const sets = changeSets({ book: this.#sets, usage: this.#usage }, change, rules);
    const targets = this.#targets.move(change, (id) => before.has(id) && this.#units.has(id));
    make.push(...sets.make, ...this.#targets.make(added));
    const blocksBefore = this.#blocks;
    const put = new Set([...added, ...changed, ...this.#unitsWith(sets.swapped)]);
    if (put.size + removed.length > 0) make.push(...this.#makeBlocks());
    for (const id of [...changed, ...removed]) this.#usage.remove(before.get(id)!.chain);
    return [
      ...make,
      ...[...sets.close, ...targets.close],
      ...this.#restore(put, removed),
      ...[...sets.open, ...targets.open],
      ...sets.destroy,
      ...this.#targets.destroy(removed),
      ...[...blocksBefore].flatMap(([text, id]) =>
        this.#blocks.has(text) ? [] : this.#sets.destroy(id),
      ),
    ];
  }

  #restore(put: ReadonlySet<string>, removed: readonly string[]): Step[] {
    if (put.size + removed.length === 0) return [];
    return [...this.#chains].map(([family, chains]): Step => {
      const lines = chains.change(this.#units, put, removed, this.#names(family));
      return { kind: "restore", family, lines };
    });
  }

  /** Makes sets for blocks that have none, and forgets of those that no rule has any more. */
  #makeBlocks(): Step[] {
    const rules = [...this.#units.values()].flatMap(({ chain }) => chain.tiers.flat());
    const blocks = rules.flatMap((rule) => blockInSet(rule) ?? []);
    const wanted = new Map(blocks.map((block) => [textOfId(blockId(block)), block]));
    this.#blocks = new Map([...wanted].map(([text, block]) => [text, blockId(block)]));
    return [...wanted.values()].flatMap((block) => {
      const id = blockId(block);
      return this.#sets.has(id) ? [] : this.#sets.create(id, blockElements(block));
    });
  }

  #unitsWith(sets: readonly SetId[]): string[] {
    if (sets.length === 0) return [];
    const texts = new Set(sets.map(textOfId));
    const usesThem = ({ chain }: Unit): boolean =>
      chain.tiers.flat().some((rule) => setsOf(rule).some((id) => texts.has(textOfId(id))));
    return [...this.#units].flatMap(([id, unit]) => (usesThem(unit) ? [id] : []));
  }

  #names(family: IpFamily): SetNames {
    const name = (id: SetId) => this.#sets.name(id, family);
    return {
      addressSet: (key) => name({ kind: "a", key }),
      portSet: (key) => name({ kind: "p", key }),
      blockSet: (block) => name(blockId(block)),
      targets: (id) => this.#targets.stem(id),
    };
  }
}
