import { formatCidr, type IpFamily } from "../../base/ip.ts";
import type { BlockMatch } from "./ipset-lines.ts";
import { freshStem, type SetKind, setKinds, setName, stemOf } from "./ipset-name.ts";
import type { Elements, Step } from "./ipset-step.ts";
import { type SetId as AnySetId, textOfId } from "./set-usage.ts";

/** What a set stands for, whatever it is called at the moment. */
export type SetId = AnySetId<SetKind>;

/** Sets of a block say all in their key, as they never change. */
export function blockId({ block, except }: BlockMatch): SetId {
  const key = `${formatCidr(block)} ${except.map(formatCidr).sort().join()}`;
  return { kind: "n", key };
}

/**
 * Which sets there are, one of each family, and what they are called. Every call gives the steps that
 * make it so, and says so from then on.
 */
export class IpsetBook {
  readonly #families: readonly IpFamily[];
  readonly #stems = new Map<string, string>();
  /** By name, how many elements it has. */
  readonly #sizes = new Map<string, number>();
  readonly #taken = new Set<string>();

  constructor(families: readonly IpFamily[]) {
    this.#families = families;
  }

  /** Names that are not to be given to any other set, until the next call. */
  avoid(names: Iterable<string>): void {
    this.#taken.clear();
    for (const name of [...this.#sizes.keys(), ...names]) this.#taken.add(stemOf(name));
  }

  has(id: SetId): boolean {
    return this.#stems.has(textOfId(id));
  }

  /** @throws TypeError when there is no such set */
  stem(id: SetId): string {
    const stem = this.#stems.get(textOfId(id));
    if (stem === undefined)
      throw new TypeError(`rules refer to a set that there is not: ${id.key}`);
    return stem;
  }

  name(id: SetId, family: IpFamily): string {
    return setName(family, id.kind, this.stem(id));
  }

  /** A new set, which nothing refers to yet; one of that id is not known here any more. */
  create(id: SetId, elements: Elements): Step[] {
    const stem = freshStem(id.kind, id.key, this.#taken);
    this.#taken.add(stem);
    this.#stems.set(textOfId(id), stem);
    return this.#families.flatMap((family): Step[] => {
      const name = setName(family, id.kind, stem);
      const type = setKinds[id.kind];
      const own = ofFamily(elements, family);
      this.#sizes.set(name, 0);
      return [
        { kind: "create", set: { name, type, family, expected: own.length } },
        ...this.#fill(name, own),
      ];
    });
  }

  add(id: SetId, elements: Elements): Step[] {
    return this.#families.flatMap((family) =>
      this.#fill(this.name(id, family), ofFamily(elements, family)),
    );
  }

  remove(id: SetId, elements: Elements): Step[] {
    return this.#families.flatMap((family): Step[] => {
      const own = ofFamily(elements, family);
      if (own.length === 0) return [];
      const set = this.name(id, family);
      this.#sizes.set(set, this.#sizes.get(set)! - own.length);
      return [{ kind: "remove", set, elements: own }];
    });
  }

  /** For when rules do not refer to it any more. @param stem which of those that had this id */
  destroy(id: SetId, stem = this.stem(id)): Step[] {
    if (this.#stems.get(textOfId(id)) === stem) this.#stems.delete(textOfId(id));
    return this.#families.map((family): Step => {
      const set = setName(family, id.kind, stem);
      this.#sizes.delete(set);
      return { kind: "destroy", set };
    });
  }

  /** By name, how many elements each set has. */
  get sizes(): ReadonlyMap<string, number> {
    return this.#sizes;
  }

  #fill(set: string, elements: Elements): Step[] {
    if (elements.length === 0) return [];
    this.#sizes.set(set, this.#sizes.get(set)! + elements.length);
    return [{ kind: "add", set, elements }];
  }
}

function ofFamily(elements: Elements, family: IpFamily): Elements {
  return elements.filter(({ address }) => address.family === family);
}
