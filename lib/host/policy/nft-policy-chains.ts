import { familyOf, type HostIp, type IpFamily } from "../../base/ip.ts";
import type { Direction } from "../../policy/objects.ts";
import type { Chain, ChainKey, RuleSet } from "../../policy/rule-set.ts";
import type { NftChain } from "../netlink/nftables.ts";
import type { LogLabels } from "./log-labels.ts";
import { nftChains } from "./nft-chain.ts";
import { chainStem, FreshNames } from "./nft-names.ts";

export const directions = ["ingress", "egress"] as const;

/**
 * A chain of a rule set as packets of one direction and family go through it. A rule set says nothing
 * of either: what some target has is there, so that there is nothing of IPv6 where pods have no such
 * address.
 */
export interface Unit {
  readonly direction: Direction;
  readonly family: IpFamily;
  readonly key: ChainKey;
  readonly chain: Chain;
}

/** By the stem of their names. */
export function unitsOf({ chains, targets }: RuleSet): Map<string, Unit> {
  const units = new Map<string, Unit>();
  const seen = new Set<string>();
  for (const direction of directions) {
    for (const [ip, key] of targets[direction]) {
      const family = familyOf(ip);
      const id = `${direction} ${family} ${key}`;
      if (seen.has(id)) continue;
      seen.add(id);
      const chain = chains.get(key) ?? { tiers: [] };
      units.set(chainStem(direction, family, key), { direction, family, key, chain });
    }
  }
  return units;
}

/** The chains of units in the table of policies. */
export class NftPolicyChains {
  readonly #names = new FreshNames();
  readonly #labels: LogLabels;
  /** Names of the chains of each unit that is in place, by its stem. */
  readonly #chains = new Map<string, readonly string[]>();
  readonly #ruleCounts = new Map<string, number>();

  constructor(labels: LogLabels) {
    this.#labels = labels;
  }

  /** How many rules each has, by its name. */
  get counts(): ReadonlyMap<string, number> {
    return this.#ruleCounts;
  }

  /** There are none, but of somebody else by these names. */
  clear(taken: readonly string[]): void {
    this.#names.reset(taken);
    this.#chains.clear();
    this.#ruleCounts.clear();
  }

  /** Where packets of that address go. */
  chainOf(direction: Direction, ip: HostIp, key: ChainKey): string {
    return this.#names.of(chainStem(direction, familyOf(ip), key));
  }

  /** In the place of a unit of that stem or of none; `nameOfSet` gives names of sets by their stems. */
  begin(stem: string, unit: Unit, nameOfSet: (stem: string) => string): NftChain[] {
    const { direction, family, key, chain } = unit;
    const place = { direction, family, name: this.#names.next(stem), comment: key };
    const built = nftChains(chain, place, { labels: this.#labels, nameOfSet });
    const names = built.map(({ name }) => name);
    this.#chains.set(stem, names);
    for (const each of built) this.count(each);
    return built;
  }

  count({ name, rules }: NftChain): void {
    this.#ruleCounts.set(name, rules.length);
  }

  /** Names of the chains that it has now. */
  namesOf(stem: string): readonly string[] {
    return this.#chains.get(stem) ?? [];
  }

  /** The chains of these names are no more. */
  end(names: readonly string[]): void {
    for (const name of names) this.#ruleCounts.delete(name);
    this.#names.free(names);
  }

  /** Nothing is in the place of the unit any more. */
  forget(stem: string): void {
    this.#names.forget(stem);
    this.#chains.delete(stem);
  }
}
