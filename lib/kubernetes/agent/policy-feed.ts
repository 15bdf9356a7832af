import type { Cancel } from "../../base/world.ts";
import type { PolicyInput } from "../../daemon/policy/policy-input.ts";
import { keyOf, type ObjectSource } from "../object-observer.ts";
import type { KubernetesObject } from "../objects.ts";

/** What one source has to say of a kind of policy objects, whatever it has them from. */
export interface FeedSource<T> {
  all(): readonly (readonly [key: string, value: T])[];
  observe(observer: FeedObserver<T>): Cancel;
}

export interface FeedObserver<T> {
  /** Everything has been told; the first time of all, and later ones. */
  listed(): void;
  changed(key: string, value: T): void;
  deleted(key: string): void;
}

/** Objects of a cluster, each read when it is told of. */
export function feedSource<O extends KubernetesObject, T>(
  source: ObjectSource<O>,
  read: (object: O) => T,
): FeedSource<T> {
  return {
    all: () => source.all().map((object) => [keyOf(object), read(object)] as const),
    observe: (observer) =>
      source.observe({
        changed: (_, object) => observer.changed(keyOf(object), read(object)),
        deleted: (object) => observer.deleted(keyOf(object)),
        replaced: () => observer.listed(),
      }),
  };
}

/**
 * Tells an input of all objects of one kind, which may come from several sources: as a whole when all
 * of these are known, and of each change afterwards. An object that takes the name of another one is
 * told of after the end of that.
 */
export class PolicyFeed<T> {
  readonly #input: PolicyInput<T>;
  readonly #identify: (value: T) => string;
  readonly #sources: readonly FeedSource<T>[];
  readonly #unlisted: Set<FeedSource<T>>;
  /** What an object is to the input, by source and by its key there. */
  readonly #told = new Map<FeedSource<T>, Map<string, string>>();

  constructor(
    input: PolicyInput<T>,
    identify: (value: T) => string,
    sources: readonly FeedSource<T>[],
  ) {
    this.#input = input;
    this.#identify = identify;
    this.#sources = sources;
    this.#unlisted = new Set(sources);
  }

  /** Before the sources begin. Returns what ends it. */
  start(): Cancel {
    const ends = this.#sources.map((source) => {
      this.#told.set(source, new Map());
      return source.observe({
        listed: () => this.#listed(source),
        changed: (key, value) => {
          if (this.#unlisted.size === 0) this.#put(source, key, value);
        },
        deleted: (key) => {
          if (this.#unlisted.size === 0) this.#remove(source, key);
        },
      });
    });
    return () => {
      for (const end of ends) end();
    };
  }

  #listed(source: FeedSource<T>): void {
    // Later lists are told of by what they changed.
    if (!this.#unlisted.delete(source) || this.#unlisted.size > 0) return;
    const all: T[] = [];
    for (const each of this.#sources) {
      for (const [key, value] of each.all()) {
        this.#told.get(each)?.set(key, this.#identify(value));
        all.push(value);
      }
    }
    this.#input.replaced(all);
  }

  #put(source: FeedSource<T>, key: string, value: T): void {
    const identity = this.#identify(value);
    if (this.#told.get(source)?.get(key) !== identity) this.#remove(source, key);
    this.#told.get(source)?.set(key, identity);
    this.#input.put(value);
  }

  #remove(source: FeedSource<T>, key: string): void {
    const told = this.#told.get(source);
    const identity = told?.get(key);
    if (identity === undefined) return;
    told?.delete(key);
    this.#input.removed(identity);
  }
}
