import { familyOf } from "../../base/ip.ts";
import type { Direction } from "../../policy/objects.ts";
import type { Chain, ChainKey, RuleSet } from "../../policy/rule-set.ts";
import type { NftChain } from "../netlink/nftables.ts";
import { type ChainContext, nftChains } from "./nft-chain.ts";
import { chainStem, FreshNames } from "./nft-names.ts";
import { ShortNames } from "./short-name.ts";

export const directions = ["ingress", "egress"] as const;

/**
 * A chain of a rule set as packets of one direction go through it. A rule set says nothing of that: what
 * some target has is there.
 */
export interface Unit {
  readonly direction: Direction;
  readonly key: ChainKey;
  readonly chain: Chain;
}

/** The chains of units in a table of policies. */
export class NftPolicyChains {
  readonly #names = new FreshNames();
  readonly #context: ChainContext;
  /** Of keys of the latest units. */
  readonly #shortNames = new ShortNames();
  /** Names of the chains of each unit that is in place, by its stem. */
  readonly #chains = new Map<string, readonly string[]>();
  readonly #ruleCounts = new Map<string, number>();

  constructor(context: ChainContext) {
    this.#context = context;
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

  /** Those of the family in these rules, by the stem of their names. */
  unitsOf({ chains, targets }: RuleSet): Map<string, Unit> {
    const units = new Map<string, Unit>();
    this.#shortNames.keep(directions.flatMap((each) => [...targets[each].values()]));
    for (const direction of directions) {
      const seen = new Set<ChainKey>();
      for (const [ip, key] of targets[direction]) {
        if (familyOf(ip) !== this.#context.family || seen.has(key)) continue;
        seen.add(key);
        const chain = chains.get(key) ?? { tiers: [] };
        units.set(chainStem(direction, this.#shortNames.of(key)), { direction, key, chain });
      }
    }
    return units;
  }

  /** Where packets are judged by the chain of one of the latest units. */
  chainOf(direction: Direction, key: ChainKey): string {
    return this.#names.of(chainStem(direction, this.#shortNames.of(key)));
  }

  /** In the place of a unit of that stem or of none. */
  begin(stem: string, { direction, key, chain }: Unit): NftChain[] {
    const place = { direction, name: this.#names.next(stem), comment: key };
    const built = nftChains(chain, place, this.#context);
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
