/** What a packet filter is told of a set that it has. */
export interface SetChange<Element> {
  readonly add: readonly Element[];
  readonly remove: readonly Element[];
}

/** What has been told of a set: its elements, under what tells them apart. */
export interface ToldElements<Id, Element> {
  has(id: Id): boolean;
  insert(id: Id, element: Element): void;
  delete(id: Id): void;
}

/**
 * A set whose elements are in it for one or more reasons, and what has been told of it. Only what was
 * touched since the last time is looked at.
 */
export class CountedSet<Id, Element> {
  readonly #counts = new Map<Id, number>();
  readonly #touched = new Map<Id, Element>();
  readonly #told: ToldElements<Id, Element>;

  constructor(told: ToldElements<Id, Element>) {
    this.#told = told;
  }

  /** One reason more, or with −1 one less. */
  count(id: Id, element: Element, difference: 1 | -1): void {
    const count = (this.#counts.get(id) ?? 0) + difference;
    if (count === 0) this.#counts.delete(id);
    else this.#counts.set(id, count);
    this.#touched.set(id, element);
  }

  /** What has to be told, which counts as told from then on. */
  tell(): SetChange<Element> {
    const add: Element[] = [];
    const remove: Element[] = [];
    for (const [id, element] of this.#touched) {
      const isIn = this.#counts.has(id);
      if (isIn === this.#told.has(id)) continue;
      (isIn ? add : remove).push(element);
      if (isIn) this.#told.insert(id, element);
      else this.#told.delete(id);
    }
    this.#touched.clear();
    return { add, remove };
  }
}
