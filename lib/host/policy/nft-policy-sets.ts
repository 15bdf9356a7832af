import type { IpFamily } from "../../base/ip.ts";
import type { NetlinkRequest } from "../netlink/conversation.ts";
import type { NftTableId } from "../netlink/nft-message.ts";
import {
  addElements,
  declareSet,
  deleteSet,
  type NftElement,
  type NftSet,
  removeElements,
} from "../netlink/nft-set.ts";
import { type ChangedSet, keyOf } from "./nft-elements.ts";
import { FreshNames, policyTables, setStem } from "./nft-names.ts";
import type { SetId } from "./set-usage.ts";

/** How many more than it has a set has room for at least. */
const spareMin = 16;

/**
 * The sets of a table of policies, and its maps. Every call gives what is to be asked of the kernel,
 * and counts as done.
 *
 * Sets of addresses and ports have room for so many elements and no more: the kernel finds something
 * faster in such a one than in one that may grow, and makes it in one go. What outgrows its room is made
 * anew with more.
 */
export class NftPolicySets {
  readonly names = new FreshNames();
  readonly #table: NftTableId;
  readonly #family: IpFamily;
  readonly #counts = new Map<string, number>();
  readonly #rooms = new Map<string, number>();
  #lastId = 0;

  constructor(family: IpFamily) {
    this.#family = family;
    this.#table = policyTables[family];
  }

  /** How many elements each has, by its name. */
  get counts(): ReadonlyMap<string, number> {
    return this.#counts;
  }

  /** There are none, but of somebody else by these names. */
  clear(taken: readonly string[]): void {
    this.names.reset(taken);
    this.#counts.clear();
    this.#rooms.clear();
  }

  /** One more, in the place of one with that id or of none, as it is to be declared and filled. */
  begin(id: SetId, elements: readonly NftElement[]): NftSet {
    return this.beginOne(setStem(id), {
      ...{ key: keyOf(this.#family, id), comment: id.key, elements },
      room: elements.length + Math.max(spareMin, elements.length >> 1),
    });
  }

  beginOne(stem: string, content: Omit<NftSet, "name">): NftSet {
    const name = this.names.next(stem);
    this.#counts.set(name, content.elements.length);
    if (content.room !== undefined) this.#rooms.set(name, content.room);
    return { name, ...content };
  }

  declare(sets: readonly NftSet[]): NetlinkRequest[] {
    return sets.map((set) => declareSet(this.#table, set, ++this.#lastId));
  }

  fill(sets: readonly NftSet[]): NetlinkRequest[] {
    return sets.flatMap(({ name, elements }) => addElements(this.#table, name, elements));
  }

  /** Whether there is room for what is added, whatever goes. */
  hasRoomFor({ id, add }: ChangedSet): boolean {
    const name = this.names.of(setStem(id));
    return (this.#counts.get(name) ?? 0) + add.length <= (this.#rooms.get(name) ?? 0);
  }

  add({ id, add }: ChangedSet): NetlinkRequest[] {
    return this.addTo(setStem(id), add);
  }

  remove({ id, remove }: ChangedSet): NetlinkRequest[] {
    return this.removeFrom(setStem(id), remove);
  }

  addTo(stem: string, elements: readonly NftElement[]): NetlinkRequest[] {
    const name = this.names.of(stem);
    this.#counts.set(name, (this.#counts.get(name) ?? 0) + elements.length);
    return addElements(this.#table, name, elements);
  }

  removeFrom(stem: string, elements: readonly NftElement[]): NetlinkRequest[] {
    const name = this.names.of(stem);
    this.#counts.set(name, (this.#counts.get(name) ?? 0) - elements.length);
    return removeElements(this.#table, name, elements);
  }

  /** The name that it has now. */
  nameOf(id: SetId): string {
    return this.names.of(setStem(id));
  }

  /** They are known no more, unless something has taken their place. */
  end(names: readonly string[], ids: readonly SetId[] = []): NetlinkRequest[] {
    for (const id of ids) this.names.forget(setStem(id));
    for (const name of names) {
      this.#counts.delete(name);
      this.#rooms.delete(name);
    }
    this.names.free(names);
    return names.map((name) => deleteSet(this.#table, name));
  }
}
