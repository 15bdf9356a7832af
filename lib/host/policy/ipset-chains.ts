import type { IpFamily } from "../../base/ip.ts";
import type { Direction } from "../../policy/objects.ts";
import type { Chain, ChainKey, RuleSet } from "../../policy/rule-set.ts";
import { directionLines, type EntryOptions, entryChains, entryJump } from "./ipset-entry.ts";
import { type ChainLines, chainLines, type LinesContext } from "./ipset-lines.ts";
import type { ShortNames } from "./short-name.ts";

export const directions = ["ingress", "egress"] as const;

/** A chain of a rule set as packets of one direction go through it. */
export interface Unit {
  readonly direction: Direction;
  readonly key: ChainKey;
  readonly chain: Chain;
}

/** @param name the short one of its key */
export function unitId(direction: Direction, name: string): string {
  return `${direction} ${name}`;
}

/**
 * The chains that packets of some target go through, by their ids; what nothing leads to is not put
 * anywhere.
 *
 * @param names keeps those of their keys from now on
 */
export function unitsOf({ chains, targets }: RuleSet, names: ShortNames): Map<string, Unit> {
  const keys = directions.map((each) => [each, new Set(targets[each].values())] as const);
  names.keep(keys.flatMap(([, some]) => [...some]));
  const units = new Map<string, Unit>();
  for (const [direction, some] of keys) {
    for (const key of some) {
      const chain = chains.get(key) ?? { tiers: [] };
      units.set(unitId(direction, names.of(key)), { direction, key, chain });
    }
  }
  return units;
}

/** Names of what rules refer to, at the time of writing them. */
export interface SetNames extends Pick<LinesContext, "addressSet" | "portSet" | "blockSet"> {
  /** Stem of the set of addresses that go through the unit of that id. */
  readonly targets: (id: string) => string;
}

/** The rules of one family that are in place, and how to get from them to others. */
export class FamilyChains {
  readonly #family: IpFamily;
  readonly #entry: EntryOptions;
  /** By id of the unit, its chains with their lines. */
  readonly #written = new Map<string, readonly ChainLines[]>();

  constructor(family: IpFamily, entry: EntryOptions) {
    this.#family = family;
    this.#entry = entry;
  }

  /**
   * What `iptables-restore` takes to put the chains of these units in the place of all chains of ours.
   *
   * @param found names of those that are there
   * @param jumps how many lead there from the chain that everybody shares
   */
  replace(units: ReadonlyMap<string, Unit>, names: SetNames, found: Found): string[] {
    this.#written.clear();
    const written = [...entryChains(this.#family, this.#entry), ...this.#write(units, names)];
    const all = [...written, ...this.#directions(units, names)];
    const wanted = new Set(all.map(({ name }) => name));
    const stale = found.chains.filter((name) => !wanted.has(name));
    return [
      ...chainTexts(all, stale),
      ...Array<string>(found.jumps).fill(`-D ${entryJump.from} ${entryJump.rule}`),
      `-I ${entryJump.from} 1 ${entryJump.rule}`,
      ...stale.map((name) => `-X ${name}`),
    ];
  }

  /**
   * The same for a few of them.
   *
   * @param units all there are then @param put ids of those that are new or changed
   */
  change(
    units: ReadonlyMap<string, Unit>,
    put: ReadonlySet<string>,
    removed: readonly string[],
    names: SetNames,
  ): string[] {
    const namesOf = (id: string) => (this.#written.get(id) ?? []).map(({ name }) => name);
    const before = [...put, ...removed].flatMap(namesOf);
    const leadsElsewhere = removed.length > 0 || [...put].some((id) => !this.#written.has(id));
    for (const id of removed) this.#written.delete(id);
    const some = new Map([...units].filter(([id]) => put.has(id)));
    const written = this.#write(some, names);
    const directions = leadsElsewhere ? this.#directions(units, names) : [];
    const kept = new Set(written.map(({ name }) => name));
    const stale = before.filter((name) => !kept.has(name));
    return [
      ...chainTexts([...written, ...directions], stale),
      ...stale.map((name) => `-X ${name}`),
    ];
  }

  /** How many chains and rules there are, those that lead to the others left out. */
  size(): { readonly chains: number; readonly rules: number } {
    const all = [...this.#written.values()].flat();
    return { chains: all.length, rules: all.reduce((sum, { lines }) => sum + lines.length, 0) };
  }

  #write(units: ReadonlyMap<string, Unit>, names: SetNames): ChainLines[] {
    return [...units].flatMap(([chainId, { chain, direction }]) => {
      const { labelOf } = this.#entry;
      const context = { family: this.#family, direction, chainId, labelOf, ...names };
      const written = chainLines(chain, context);
      this.#written.set(chainId, written);
      return written;
    });
  }

  #directions(units: ReadonlyMap<string, Unit>, names: SetNames): ChainLines[] {
    return (["egress", "ingress"] as const).map((direction) => {
      const jumps = [...units]
        .filter(([, unit]) => unit.direction === direction)
        .map(([id]) => ({
          stem: names.targets(id),
          chain: this.#written.get(id)![0]!.name,
        }));
      return directionLines(this.#family, direction, jumps);
    });
  }
}

/** What of ours there is in a kernel. */
export interface Found {
  readonly chains: readonly string[];
  readonly jumps: number;
}

/** Declared before all rules, as these refer to them; what stood in them goes. */
function chainTexts(written: readonly ChainLines[], stale: readonly string[]): string[] {
  const names = [...written.map(({ name }) => name), ...stale];
  return [
    ...names.map((name) => `:${name} - [0:0]`),
    ...written.flatMap(({ name, lines }) => lines.map((line) => `-A ${name} ${line}`)),
  ];
}
