/** The latest so many of what is added, oldest first. */
export class Latest<Item> {
  readonly #max: number;
  #items: Item[] = [];
  #dropped = 0;

  constructor(max: number) {
    this.#max = max;
  }

  add(item: Item): void {
    this.#items.push(item);
    // In one go now and then: taking one from the front would move all the others.
    if (this.#items.length < 2 * this.#max) return;
    this.#dropped += this.#items.length - this.#max;
    this.#items = this.#items.slice(-this.#max);
  }

  list(): readonly Item[] {
    return this.#items.slice(-this.#max);
  }

  /** How many were added and are not in the list any more. */
  get dropped(): number {
    return this.#dropped + Math.max(0, this.#items.length - this.#max);
  }
}
