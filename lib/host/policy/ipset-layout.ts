import type { HostIp, IpFamily } from "../../base/ip.ts";
import type { Direction } from "../../policy/objects.ts";
import type { ChainKey, RuleSet, RuleSetChange } from "../../policy/rule-set.ts";
import {
  FamilyChains,
  type Found,
  type SetNames,
  type Unit,
  unitId,
  unitsOf,
} from "./ipset-chains.ts";
import { changedSets, newSets, wholeSet } from "./ipset-changes.ts";
import type { EntryOptions } from "./ipset-entry.ts";
import { blockInSet } from "./ipset-lines.ts";
import { blockId, IpsetBook, type SetId, textOfId } from "./ipset-sets.ts";
import { addressElements, blockElements, type Step } from "./ipset-step.ts";
import { SetUsage, setsOf } from "./ipset-usage.ts";

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
  readonly #targets: Readonly<Record<Direction, Map<HostIp, ChainKey>>>;
  #units: ReadonlyMap<string, Unit> = new Map();
  #blocks: ReadonlyMap<string, SetId> = new Map();

  /** Nothing is in place yet: the first that is asked for is {@link replace}. */
  constructor(families: readonly IpFamily[], entry: EntryOptions) {
    this.#chains = new Map(families.map((family) => [family, new FamilyChains(family, entry)]));
    this.#sets = new IpsetBook(families);
    this.#targets = { ingress: new Map(), egress: new Map() };
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
    return this.#targets.ingress.size + this.#targets.egress.size;
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
    this.#units = unitsOf(rules);
    for (const { chain } of this.#units.values()) this.#usage.add(chain);
    for (const direction of directions) {
      for (const [ip, key] of rules.targets[direction]) this.#targets[direction].set(ip, key);
    }
    const make = [
      ...newSets(rules.sets, rules.portSets).flatMap(({ id, elements }) =>
        this.#sets.create(id, elements),
      ),
      ...this.#makeTargets([...this.#units.keys()]),
      ...this.#makeBlocks(),
    ];
    const restore = [...this.#chains].map(([family, chains]): Step => {
      const lines = chains.replace(this.#units, this.#names(family), found.get(family)!);
      return { kind: "restore", family, lines };
    });
    return [...make, ...restore, ...leaving.map((set): Step => ({ kind: "destroy", set }))];
  }

  /**
   * From the rules that it was asked for last to these.
   *
   * @param leaving names of sets that are to be gone, and may still be there
   */
  change(change: RuleSetChange, rules: RuleSet, leaving: Iterable<string>): Step[] {
    this.#sets.avoid(leaving);
    const before = this.#units;
    this.#units = unitsOf(rules);
    const added = [...this.#units.keys()].filter((id) => !before.has(id));
    const removed = [...before.keys()].filter((id) => !this.#units.has(id));
    const changed = [...this.#units].flatMap(([id, { key }]) =>
      before.has(id) && change.chains.put.has(key) ? [id] : [],
    );
    for (const id of [...added, ...changed]) this.#usage.add(this.#units.get(id)!.chain);
    const make = newSets(change.sets.add, change.portSets.add).flatMap(({ id, elements }) =>
      this.#sets.create(id, elements),
    );
    const sets = this.#changeSets(change, rules);
    const targets = this.#moveTargets(change, before);
    make.push(...sets.make, ...this.#makeTargets(added));
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
      ...removed.flatMap((id) => this.#sets.destroy({ kind: "t", key: id })),
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

  /** Those that are there before and after; and what goes. */
  #changeSets(change: RuleSetChange, rules: RuleSet): Phases & { readonly swapped: SetId[] } {
    const phases = { ...noPhases(), swapped: [] as SetId[] };
    for (const { id, add, remove } of changedSets(change)) {
      switch (this.#usage.effectOf(id)) {
        case "opens":
          phases.close.push(...this.#sets.remove(id, remove));
          phases.open.push(...this.#sets.add(id, add));
          break;
        case "closes":
          phases.close.push(...this.#sets.add(id, add));
          phases.open.push(...this.#sets.remove(id, remove));
          break;
        case "either": {
          const former = this.#sets.stem(id);
          phases.swapped.push(id);
          phases.make.push(...this.#sets.create(id, wholeSet(rules, id)));
          phases.destroy.push(...this.#sets.destroy(id, former));
        }
      }
    }
    for (const key of change.sets.remove)
      phases.destroy.push(...this.#sets.destroy({ kind: "a", key }));
    for (const key of change.portSets.remove) {
      phases.destroy.push(...this.#sets.destroy({ kind: "p", key }));
    }
    return phases;
  }

  /** Between sets of units that are there before and after; others are made, or go, as a whole. */
  #moveTargets(change: RuleSetChange, before: ReadonlyMap<string, Unit>): Phases {
    const phases = noPhases();
    const stays = (id: string) => before.has(id) && this.#units.has(id);
    for (const direction of directions) {
      const targets = this.#targets[direction];
      const { put, remove } = change.targets[direction];
      const leaves = (ip: HostIp): void => {
        const id = unitId({ direction, key: targets.get(ip) ?? "" });
        if (!targets.delete(ip) || !stays(id)) return;
        phases.open.push(...this.#sets.remove({ kind: "t", key: id }, addressElements([ip])));
      };
      for (const [ip, key] of put) {
        if (targets.get(ip) === key) continue;
        leaves(ip);
        targets.set(ip, key);
        const id = unitId({ direction, key });
        if (!stays(id)) continue;
        phases.close.push(...this.#sets.add({ kind: "t", key: id }, addressElements([ip])));
      }
      for (const ip of remove) leaves(ip);
    }
    return phases;
  }

  #makeTargets(ids: readonly string[]): Step[] {
    const addresses = new Map(ids.map((id) => [id, [] as HostIp[]]));
    if (ids.length === 0) return [];
    for (const direction of directions) {
      for (const [ip, key] of this.#targets[direction]) {
        addresses.get(unitId({ direction, key }))?.push(ip);
      }
    }
    return [...addresses].flatMap(([key, ips]) =>
      this.#sets.create({ kind: "t", key }, addressElements(ips)),
    );
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
      targets: (unit) => this.#sets.stem({ kind: "t", key: unitId(unit) }),
    };
  }
}

const directions = ["ingress", "egress"] as const;

/** Steps by when they are taken; that of all rules is between the second and the third. */
interface Phases {
  readonly make: Step[];
  readonly close: Step[];
  readonly open: Step[];
  readonly destroy: Step[];
}

function noPhases(): Phases {
  return { make: [], close: [], open: [], destroy: [] };
}
