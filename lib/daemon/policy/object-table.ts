import type { PolicyInput } from "./policy-input.ts";

/** Who works with the objects of a kind, one at a time. */
export interface ObjectSink<T> {
  put(object: T): void;
  remove(object: T): void;
}

/** All objects of one kind that a source has told of. */
export class ObjectTable<T> implements PolicyInput<T> {
  readonly #objects = new Map<string, T>();
  readonly #keyOf: (object: T) => string;
  readonly #sink: ObjectSink<T>;
  readonly #changed: () => void;
  #isSynced = false;

  /** @param changed called after each change, and when the kind is known as a whole */
  constructor(keyOf: (object: T) => string, sink: ObjectSink<T>, changed: () => void) {
    this.#keyOf = keyOf;
    this.#sink = sink;
    this.#changed = changed;
  }

  /** Whether the source has told of the kind as a whole. */
  get isSynced(): boolean {
    return this.#isSynced;
  }

  get size(): number {
    return this.#objects.size;
  }

  all(): T[] {
    return [...this.#objects.values()];
  }

  replaced(all: readonly T[]): void {
    const keys = new Set(all.map(this.#keyOf));
    for (const key of [...this.#objects.keys()]) if (!keys.has(key)) this.#remove(key);
    for (const object of all) this.#put(object);
    this.#isSynced = true;
    this.#changed();
  }

  put(object: T): void {
    this.#put(object);
    this.#changed();
  }

  removed(key: string): void {
    if (this.#remove(key)) this.#changed();
  }

  #put(object: T): void {
    this.#objects.set(this.#keyOf(object), object);
    this.#sink.put(object);
  }

  #remove(key: string): boolean {
    const known = this.#objects.get(key);
    if (known === undefined) return false;
    this.#objects.delete(key);
    this.#sink.remove(known);
    return true;
  }
}
