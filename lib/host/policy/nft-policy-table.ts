import { familyOf, type HostIp, type IpFamily } from "../../base/ip.ts";
import type { Direction } from "../../policy/objects.ts";
import type { ChainKey, RuleSet, RuleSetChange } from "../../policy/rule-set.ts";
import type { NetlinkRequest } from "../netlink/conversation.ts";
import {
  addElements,
  declareSet,
  deleteSet,
  type NftElement,
  type NftSet,
  removeElements,
} from "../netlink/nft-set.ts";
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
import { nftChains } from "./nft-chain.ts";
import {
  addressElements,
  emptyPeerSet,
  emptyPortSet,
  emptySelfSet,
  emptyTargetMap,
  portElements,
  selfElement,
  targetElement,
} from "./nft-elements.ts";
import { chainName, peerSet, policyTable, portSet, selfSet, targetMap } from "./nft-names.ts";

/** A chain of a rule set for one direction and family: what the kernel's chains are made for. */
interface Unit {
  readonly direction: Direction;
  readonly family: IpFamily;
  readonly key: ChainKey;
}

const directions = ["ingress", "egress"] as const;

/**
 * What the table of policies holds, and which requests lead from one rule set to the next. A rule
 * set says nothing of families and of the direction of chains: chains are made for those that some
 * target has, and sets for families of targets, so that there is nothing of IPv6 where pods have no
 * such address.
 */
export class NftPolicyTable {
  readonly #options: Pick<EnforcerOptions, "bridge" | "multicast">;
  readonly #labels: LogLabels;
  readonly #targets: Readonly<Record<Direction, Map<HostIp, ChainKey>>> = {
    ingress: new Map(),
    egress: new Map(),
  };
  #families: readonly IpFamily[] = [];
  /** By the name of their first chain. */
  #units: ReadonlyMap<string, Unit> = new Map();
  /** Names of all chains of each unit. */
  readonly #chainsOfUnit = new Map<string, readonly string[]>();
  /** How many rules each chain has, by its name. */
  readonly #rules = new Map<string, number>();
  /** How many elements each set has, by its name. */
  readonly #elements = new Map<string, number>();

  constructor(options: Pick<EnforcerOptions, "bridge" | "multicast">, labels: LogLabels) {
    this.#options = options;
    this.#labels = labels;
  }

  /** Of each chain by its name. */
  get ruleCounts(): ReadonlyMap<string, number> {
    return this.#rules;
  }

  /** Of each set by its name. */
  get elementCounts(): ReadonlyMap<string, number> {
    return this.#elements;
  }

  /** Addresses that are judged, once for each direction. */
  get targetCount(): number {
    return this.#targets.ingress.size + this.#targets.egress.size;
  }

  /** All of it, in the place of whatever there is. */
  replace(rules: RuleSet): NftTable {
    this.#families = familiesOf(rules);
    this.#units = this.#unitsOf(rules);
    for (const each of [this.#chainsOfUnit, this.#rules, this.#elements]) each.clear();
    for (const direction of directions) {
      this.#targets[direction].clear();
      for (const [ip, key] of rules.targets[direction]) this.#targets[direction].set(ip, key);
    }
    const forward = forwardChain(this.#options, this.#families, this.#labels);
    const chains = [forward, ...[...this.#units].flatMap((entry) => this.#build(entry, rules))];
    const sets = this.#families.flatMap((family) => this.#setsOf(family, rules));
    this.#rules.set(forward.name, forward.rules.length);
    for (const { name, elements } of sets) this.#elements.set(name, elements.length);
    return { ...policyTable, chains, sets };
  }

  /**
   * Requests of one transaction that leads from the rules that it was asked for last to these;
   * `undefined` when only {@link replace} does, because pods have addresses of other families.
   */
  change(change: RuleSetChange, rules: RuleSet): NetlinkRequest[] | undefined {
    if (familiesOf(rules).join() !== this.#families.join()) return undefined;
    const before = this.#units;
    this.#units = this.#unitsOf(rules);
    const put = [...this.#units].filter(
      ([name, { key }]) => !before.has(name) || change.chains.put.has(key),
    );
    const gone = [...before.keys()].filter((name) => !this.#units.has(name));
    return [
      ...this.#families.flatMap((family) => this.#changeSets(family, change)),
      ...this.#putChains(put, rules),
      ...this.#moveTargets(change),
      ...this.#removeChains(gone.flatMap((name) => this.#forgetUnit(name))),
      ...this.#families.flatMap((family) => this.#removeSets(family, change)),
    ];
  }

  #unitsOf(rules: RuleSet): Map<string, Unit> {
    const units = new Map<string, Unit>();
    for (const direction of directions) {
      const seen = new Set<string>();
      for (const [ip, key] of rules.targets[direction]) {
        const family = familyOf(ip);
        if (seen.has(`${family} ${key}`)) continue;
        seen.add(`${family} ${key}`);
        units.set(chainName(direction, family, key), { direction, family, key });
      }
    }
    return units;
  }

  #build([name, { direction, family, key }]: readonly [string, Unit], rules: RuleSet): NftChain[] {
    const chain = rules.chains.get(key) ?? { tiers: [] };
    const built = nftChains(chain, { direction, family, name, comment: key }, this.#labels);
    this.#chainsOfUnit.set(
      name,
      built.map((each) => each.name),
    );
    for (const each of built) this.#rules.set(each.name, each.rules.length);
    return built;
  }

  #setsOf(family: IpFamily, { sets, portSets }: RuleSet): NftSet[] {
    const own = (direction: Direction) =>
      [...this.#targets[direction]].filter(([ip]) => familyOf(ip) === family);
    const judged = new Set(directions.flatMap((direction) => own(direction).map(([ip]) => ip)));
    return [
      { ...emptySelfSet(family), elements: [...judged].map(selfElement) },
      ...directions.map((direction) => ({
        ...emptyTargetMap(family, direction),
        elements: own(direction).map(([ip, key]) =>
          targetElement(ip, chainName(direction, family, key)),
        ),
      })),
      ...[...sets].map(([key, addresses]) => ({
        ...emptyPeerSet(family, key),
        elements: addressElements(family, addresses),
      })),
      ...[...portSets].map(([key, ports]) => ({
        ...emptyPortSet(family, key),
        elements: portElements(family, ports.values()),
      })),
    ];
  }

  #changeSets(family: IpFamily, { sets, portSets }: RuleSetChange): NetlinkRequest[] {
    const added = [
      ...[...sets.add].map(([key, addresses]) => ({
        ...emptyPeerSet(family, key),
        elements: addressElements(family, addresses),
      })),
      ...[...portSets.add].map(([key, ports]) => ({
        ...emptyPortSet(family, key),
        elements: portElements(family, ports),
      })),
    ];
    return [
      ...added.flatMap((set, index) => {
        this.#elements.set(set.name, 0);
        return [
          declareSet(policyTable, set, index * 2 + (family === 4 ? 1 : 2)),
          ...this.#add(set.name, set.elements),
        ];
      }),
      ...[...sets.change].flatMap(([key, { add, remove }]) => {
        const name = peerSet(family, key);
        return [
          ...this.#remove(name, addressElements(family, remove)),
          ...this.#add(name, addressElements(family, add)),
        ];
      }),
      ...[...portSets.change].flatMap(([key, { add, remove }]) => {
        const name = portSet(family, key);
        return [
          ...this.#remove(name, portElements(family, remove)),
          ...this.#add(name, portElements(family, add)),
        ];
      }),
    ];
  }

  #putChains(put: readonly (readonly [string, Unit])[], rules: RuleSet): NetlinkRequest[] {
    const former = new Set(put.flatMap(([name]) => this.#forgetUnit(name)));
    const built = put.flatMap((entry) => this.#build(entry, rules));
    const stays = new Set(built.map(({ name }) => name));
    return [
      ...built
        .filter(({ name }) => !former.has(name))
        .map((each) => declareChain(policyTable, each)),
      ...[...former].map((name) => emptyChain(policyTable, name)),
      ...built.flatMap((each) => addRules(policyTable, each)),
      ...this.#removeChains([...former].filter((name) => !stays.has(name))),
    ];
  }

  /** Gives the names of its chains, which have to be emptied, and filled again or removed. */
  #forgetUnit(name: string): readonly string[] {
    const chains = this.#chainsOfUnit.get(name) ?? [];
    this.#chainsOfUnit.delete(name);
    for (const chain of chains) this.#rules.delete(chain);
    return chains;
  }

  /** They lead to each other: all are emptied before the first goes. */
  #removeChains(names: readonly string[]): NetlinkRequest[] {
    return [
      ...names.map((name) => emptyChain(policyTable, name)),
      ...names.map((name) => deleteChain(policyTable, name)),
    ];
  }

  #moveTargets(change: RuleSetChange): NetlinkRequest[] {
    const isJudged = (ip: HostIp) => directions.some((each) => this.#targets[each].has(ip));
    const touched = directions.flatMap((direction) => {
      const { put, remove } = change.targets[direction];
      return [...put.keys(), ...remove];
    });
    const before = new Map(touched.map((ip) => [ip, isJudged(ip)]));
    const moved = directions.flatMap((direction) => this.#moveTargetsOf(direction, change));
    const selves = [...before].filter(([ip, wasJudged]) => wasJudged !== isJudged(ip));
    return [
      ...moved,
      ...selves.flatMap(([ip, wasJudged]) => {
        const set = selfSet(familyOf(ip));
        return wasJudged ? this.#remove(set, [selfElement(ip)]) : this.#add(set, [selfElement(ip)]);
      }),
    ];
  }

  /** What a map has for a key cannot be changed: it goes, and comes again. */
  #moveTargetsOf(direction: Direction, change: RuleSetChange): NetlinkRequest[] {
    const { put, remove } = change.targets[direction];
    const targets = this.#targets[direction];
    const leaving = [...put.keys(), ...remove].filter((ip) => targets.has(ip));
    for (const ip of leaving) targets.delete(ip);
    for (const [ip, key] of put) targets.set(ip, key);
    return this.#families.flatMap((family) => {
      const map = targetMap(direction, family);
      const coming = [...put].filter(([ip]) => familyOf(ip) === family);
      return [
        ...this.#remove(map, addressElements(family, leaving)),
        ...this.#add(
          map,
          coming.map(([ip, key]) => targetElement(ip, chainName(direction, family, key))),
        ),
      ];
    });
  }

  #removeSets(family: IpFamily, { sets, portSets }: RuleSetChange): NetlinkRequest[] {
    const names = [
      ...sets.remove.map((key) => peerSet(family, key)),
      ...portSets.remove.map((key) => portSet(family, key)),
    ];
    return names.map((name) => {
      this.#elements.delete(name);
      return deleteSet(policyTable, name);
    });
  }

  #add(set: string, elements: readonly NftElement[]): NetlinkRequest[] {
    this.#elements.set(set, (this.#elements.get(set) ?? 0) + elements.length);
    return addElements(policyTable, set, elements);
  }

  #remove(set: string, elements: readonly NftElement[]): NetlinkRequest[] {
    this.#elements.set(set, (this.#elements.get(set) ?? 0) - elements.length);
    return removeElements(policyTable, set, elements);
  }
}

function familiesOf({ targets }: RuleSet): readonly IpFamily[] {
  const all = directions.flatMap((direction) => [...targets[direction].keys()].map(familyOf));
  return [...new Set(all)].sort();
}
