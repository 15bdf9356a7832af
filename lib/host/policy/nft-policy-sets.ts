import type { IpFamily } from "../../base/ip.ts";
import type { NetlinkRequest } from "../netlink/conversation.ts";
import {
  addElements,
  declareSet,
  deleteSet,
  type NftElement,
  type NftSet,
  removeElements,
} from "../netlink/nft-set.ts";
import { type ElementsOf, keyOf } from "./nft-elements.ts";
import { FreshNames, policyTable, setStem } from "./nft-names.ts";
import type { SetId } from "./set-usage.ts";

/**
 * The sets of the table of policies, one of each family for a set of the rules, and its maps. Every
 * call gives what is to be asked of the kernel, and counts as done.
 */
export class NftPolicySets {
  readonly names = new FreshNames();
  readonly #counts = new Map<string, number>();
  #families: readonly IpFamily[] = [];
  #lastId = 0;

  /** How many elements each has, by its name. */
  get counts(): ReadonlyMap<string, number> {
    return this.#counts;
  }

  /** There are none, but of somebody else by these names, and will be such for these families. */
  clear(families: readonly IpFamily[], taken: readonly string[]): void {
    this.names.reset(taken);
    this.#counts.clear();
    this.#families = families;
  }

  /** One more, in the place of one with that id or of none, as it is to be declared and filled. */
  begin(id: SetId, elements: ElementsOf): NftSet[] {
    return this.#families.map((family) =>
      this.beginOne(setStem(family, id), {
        ...{ key: keyOf(family, id), comment: id.key },
        elements: elements(family),
      }),
    );
  }

  beginOne(stem: string, content: Omit<NftSet, "name">): NftSet {
    const name = this.names.next(stem);
    this.#counts.set(name, content.elements.length);
    return { name, ...content };
  }

  declare(sets: readonly NftSet[]): NetlinkRequest[] {
    return sets.map((set) => declareSet(policyTable, set, ++this.#lastId));
  }

  fill(sets: readonly NftSet[]): NetlinkRequest[] {
    return sets.flatMap(({ name, elements }) => addElements(policyTable, name, elements));
  }

  add(id: SetId, elements: ElementsOf): NetlinkRequest[] {
    return this.#families.flatMap((family) => this.addTo(setStem(family, id), elements(family)));
  }

  remove(id: SetId, elements: ElementsOf): NetlinkRequest[] {
    return this.#families.flatMap((family) =>
      this.removeFrom(setStem(family, id), elements(family)),
    );
  }

  addTo(stem: string, elements: readonly NftElement[]): NetlinkRequest[] {
    const name = this.names.of(stem);
    this.#counts.set(name, (this.#counts.get(name) ?? 0) + elements.length);
    return addElements(policyTable, name, elements);
  }

  removeFrom(stem: string, elements: readonly NftElement[]): NetlinkRequest[] {
    const name = this.names.of(stem);
    this.#counts.set(name, (this.#counts.get(name) ?? 0) - elements.length);
    return removeElements(policyTable, name, elements);
  }

  /** Names that they have now. */
  namesOf(id: SetId): string[] {
    return this.#families.map((family) => this.names.of(setStem(family, id)));
  }

  /** They are known no more, unless something has taken their place. */
  end(names: readonly string[], ids: readonly SetId[] = []): NetlinkRequest[] {
    for (const id of ids) {
      for (const family of this.#families) this.names.forget(setStem(family, id));
    }
    for (const name of names) this.#counts.delete(name);
    this.names.free(names);
    return names.map((name) => deleteSet(policyTable, name));
  }
}
