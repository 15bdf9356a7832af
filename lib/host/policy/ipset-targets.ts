import type { HostIp } from "../../base/ip.ts";
import type { Direction } from "../../policy/objects.ts";
import type { ChainKey, RuleSet, RuleSetChange } from "../../policy/rule-set.ts";
import { directions } from "./ipset-chains.ts";
import type { IpsetBook } from "./ipset-sets.ts";
import { addressElements, noPhases, type Phases, type Step } from "./ipset-step.ts";

/** Which addresses go through which chain: one set for each chain that any go through. */
export class IpsetTargets {
  readonly #sets: IpsetBook;
  readonly #idOf: (direction: Direction, key: ChainKey) => string;
  /** Ids of chains. */
  readonly #chains: Readonly<Record<Direction, Map<HostIp, string>>> = {
    ingress: new Map(),
    egress: new Map(),
  };

  /** @param idOf of chains of the latest rules */
  constructor(sets: IpsetBook, idOf: (direction: Direction, key: ChainKey) => string) {
    this.#sets = sets;
    this.#idOf = idOf;
  }

  /** Addresses that are judged, once for each direction. */
  get count(): number {
    return this.#chains.ingress.size + this.#chains.egress.size;
  }

  /** In the place of all there are. */
  replace({ targets }: RuleSet): void {
    for (const direction of directions) {
      const chains = this.#chains[direction];
      chains.clear();
      for (const [ip, key] of targets[direction]) chains.set(ip, this.#idOf(direction, key));
    }
  }

  /**
   * Between sets of chains that are there before and after, as `stays` says of their ids; others are
   * made, or go, as a whole.
   */
  move({ targets }: Pick<RuleSetChange, "targets">, stays: (id: string) => boolean): Phases {
    const phases = noPhases();
    for (const direction of directions) {
      const chains = this.#chains[direction];
      const leave = (ip: HostIp): void => {
        const id = chains.get(ip);
        if (id === undefined) return;
        chains.delete(ip);
        if (stays(id)) phases.open.push(...this.#sets.remove(targetsOf(id), addressElements([ip])));
      };
      for (const [ip, key] of targets[direction].put) {
        const id = this.#idOf(direction, key);
        if (chains.get(ip) === id) continue;
        leave(ip);
        chains.set(ip, id);
        if (stays(id)) phases.close.push(...this.#sets.add(targetsOf(id), addressElements([ip])));
      }
      for (const ip of targets[direction].remove) leave(ip);
    }
    return phases;
  }

  /** Sets of chains that have none. @param ids of the chains */
  make(ids: readonly string[]): Step[] {
    if (ids.length === 0) return [];
    const addresses = new Map(ids.map((id) => [id, [] as HostIp[]]));
    for (const direction of directions) {
      for (const [ip, id] of this.#chains[direction]) addresses.get(id)?.push(ip);
    }
    return [...addresses].flatMap(([id, ips]) =>
      this.#sets.create(targetsOf(id), addressElements(ips)),
    );
  }

  /** The sets of chains that nothing leads to any more. */
  destroy(ids: readonly string[]): Step[] {
    return ids.flatMap((id) => this.#sets.destroy(targetsOf(id)));
  }

  stem(id: string): string {
    return this.#sets.stem(targetsOf(id));
  }
}

function targetsOf(id: string): { readonly kind: "t"; readonly key: string } {
  return { kind: "t", key: id };
}
