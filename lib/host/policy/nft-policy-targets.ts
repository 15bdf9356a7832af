import { familyOf, type HostIp, type IpFamily } from "../../base/ip.ts";
import type { Direction } from "../../policy/objects.ts";
import type { ChainKey, RuleSet, RuleSetChange } from "../../policy/rule-set.ts";
import { directions } from "./nft-policy-chains.ts";

/** What a change does to who is judged at all, in whichever direction. */
export interface TargetMoves {
  readonly coming: readonly HostIp[];
  readonly going: readonly HostIp[];
  /** Whether anything is judged by other chains than before. */
  readonly any: boolean;
}

/** Addresses of one family whose packets are judged, and by which chain. */
export class NftPolicyTargets {
  readonly #family: IpFamily;
  readonly #keys: Readonly<Record<Direction, Map<HostIp, ChainKey>>> = {
    ingress: new Map(),
    egress: new Map(),
  };

  constructor(family: IpFamily) {
    this.#family = family;
  }

  /** Counted once for each direction. */
  get count(): number {
    return this.#keys.ingress.size + this.#keys.egress.size;
  }

  /** In at least one direction. */
  get judged(): ReadonlySet<HostIp> {
    return new Set(directions.flatMap((direction) => [...this.#keys[direction].keys()]));
  }

  of(direction: Direction): ReadonlyMap<HostIp, ChainKey> {
    return this.#keys[direction];
  }

  replace({ targets }: RuleSet): void {
    for (const direction of directions) {
      this.#keys[direction].clear();
      this.#put(direction, targets[direction]);
    }
  }

  move({ targets }: RuleSetChange): TargetMoves {
    const touched = directions.flatMap((direction) => {
      const { put, remove } = targets[direction];
      return [...put.keys(), ...remove].filter((ip) => this.#isOfFamily(ip));
    });
    const before = new Map(touched.map((ip) => [ip, this.#isJudged(ip)]));
    for (const direction of directions) {
      const { put, remove } = targets[direction];
      for (const ip of remove) this.#keys[direction].delete(ip);
      this.#put(direction, put);
    }
    return {
      coming: [...before.keys()].filter((ip) => !before.get(ip) && this.#isJudged(ip)),
      going: [...before.keys()].filter((ip) => before.get(ip) && !this.#isJudged(ip)),
      any: touched.length > 0,
    };
  }

  #put(direction: Direction, keys: ReadonlyMap<HostIp, ChainKey>): void {
    for (const [ip, key] of keys) {
      if (this.#isOfFamily(ip)) this.#keys[direction].set(ip, key);
    }
  }

  #isOfFamily(ip: HostIp): boolean {
    return familyOf(ip) === this.#family;
  }

  #isJudged(ip: HostIp): boolean {
    return directions.some((direction) => this.#keys[direction].has(ip));
  }
}
