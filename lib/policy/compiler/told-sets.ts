import type { SetChanges, SetKey } from "../rule-set.ts";
import { CountedSet, type SetChange, type ToldElements } from "./counted-set.ts";

interface Entry<Query, Id, Element, Told> {
  readonly query: Query;
  readonly elements: CountedSet<Id, Element>;
  readonly told: Told;
  /** How many chains speak of it. */
  users: number;
}

/** How the elements of a set are kept when they have been told. */
export interface ToldForm<Id, Element, Told> {
  empty(): Told;
  elements(told: Told): ToldElements<Id, Element>;
}

/** Sets of one kind, each there as long as a chain speaks of it, and what was told of them. */
export class ToldSets<Query extends { readonly key: SetKey }, Id, Element, Told> {
  /** As told so far. */
  readonly published = new Map<SetKey, Told>();
  readonly #entries = new Map<SetKey, Entry<Query, Id, Element, Told>>();
  readonly #touched = new Set<SetKey>();
  readonly #form: ToldForm<Id, Element, Told>;

  constructor(form: ToldForm<Id, Element, Told>) {
    this.#form = form;
  }

  /** Whether the set was not there before, and is to be filled. */
  acquire(query: Query): boolean {
    const known = this.#entries.get(query.key);
    if (known !== undefined) {
      known.users += 1;
      return false;
    }
    const told = this.#form.empty();
    const elements = new CountedSet(this.#form.elements(told));
    this.#entries.set(query.key, { query, elements, told, users: 1 });
    this.#touched.add(query.key);
    return true;
  }

  /** The set stays until the next {@link sweep}: another chain may speak of it by then. */
  release(key: SetKey): void {
    this.#entries.get(key)!.users -= 1;
    this.#touched.add(key);
  }

  count(key: SetKey, id: Id, element: Element, difference: 1 | -1): void {
    this.#entries.get(key)!.elements.count(id, element, difference);
    this.#touched.add(key);
  }

  /** Takes out the sets that no chain speaks of any more. */
  sweep(): Query[] {
    const unused: Query[] = [];
    for (const key of this.#touched) {
      const entry = this.#entries.get(key);
      if (entry === undefined || entry.users > 0) continue;
      this.#entries.delete(key);
      unused.push(entry.query);
    }
    return unused;
  }

  /** What has to be told of all sets, which counts as told from then on. */
  tell(): SetChanges<Element> {
    const add = new Map<SetKey, readonly Element[]>();
    const change = new Map<SetKey, SetChange<Element>>();
    const remove: SetKey[] = [];
    for (const key of this.#touched) {
      const entry = this.#entries.get(key);
      if (entry === undefined) {
        if (this.published.delete(key)) remove.push(key);
        continue;
      }
      const changes = entry.elements.tell();
      if (!this.published.has(key)) {
        this.published.set(key, entry.told);
        add.set(key, changes.add);
      } else if (changes.add.length + changes.remove.length > 0) {
        change.set(key, changes);
      }
    }
    this.#touched.clear();
    return { add, change, remove };
  }
}
