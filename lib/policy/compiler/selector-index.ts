import type { Labels, Selector } from "../objects.ts";
import { selects } from "../selector.ts";

type Bucket<Item> = Map<Item, Selector>;

/**
 * Finds which of many selectors select something, without asking them all: each is kept under a
 * label that it demands, so that only those are asked that the labels may satisfy.
 *
 *   In [a, b]   under key=a and key=b
 *   Exists      under key
 *   others      asked always
 */
export class SelectorIndex<Item> {
  readonly #buckets = new Map<string, Bucket<Item>>();

  add(selector: Selector, item: Item): void {
    for (const place of placesOf(selector)) {
      const bucket = this.#buckets.get(place) ?? new Map<Item, Selector>();
      this.#buckets.set(place, bucket.set(item, selector));
    }
  }

  /** Takes out what was added with the same selector. */
  remove(selector: Selector, item: Item): void {
    for (const place of placesOf(selector)) {
      const bucket = this.#buckets.get(place);
      bucket?.delete(item);
      if (bucket?.size === 0) this.#buckets.delete(place);
    }
  }

  /** Each once. */
  matching(labels: Labels): Item[] {
    const found: Item[] = [];
    this.#collect(always, labels, found);
    for (const [key, value] of labels) {
      this.#collect(keyPlace(key), labels, found);
      this.#collect(valuePlace(key, value), labels, found);
    }
    return found;
  }

  get isEmpty(): boolean {
    return this.#buckets.size === 0;
  }

  #collect(place: string, labels: Labels, found: Item[]): void {
    for (const [item, selector] of this.#buckets.get(place) ?? []) {
      if (selects(selector, labels)) found.push(item);
    }
  }
}

const always = "always";

function keyPlace(key: string): string {
  return `key ${key}`;
}

/** Unlike for any other label, whatever characters it has: the length says where the key ends. */
function valuePlace(key: string, value: string): string {
  return `value ${key.length} ${key}=${value}`;
}

/** The demand that fewest labels satisfy. */
function placesOf(selector: Selector): string[] {
  let places: string[] | undefined;
  for (const requirement of selector) {
    if (requirement.operator === "In") {
      const { key, values } = requirement;
      if (places === undefined || values.length < places.length) {
        places = values.map((value) => valuePlace(key, value));
      }
    }
  }
  if (places !== undefined) return places;
  const exists = selector.find(({ operator }) => operator === "Exists");
  return [exists === undefined ? always : keyPlace(exists.key)];
}
