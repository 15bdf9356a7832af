import { errorText } from "../base/errors.ts";
import type { Log } from "../base/world.ts";
import { keyOf, type ObjectChange, type ObjectObserver } from "./object-observer.ts";
import type { KubernetesObject } from "./objects.ts";
import { isNewerVersion, isOlderVersion } from "./resource-version.ts";

/**
 * All objects of a kind as they are known, up to one version, and those who want to know them. Every
 * change is told to all; one who fails is logged, and keeps nobody from hearing.
 */
export class ObjectTable<T extends KubernetesObject> {
  readonly #log: Log;
  readonly #observers = new Set<ObjectObserver<T>>();
  readonly #objects = new Map<string, T>();
  #version = "";

  constructor(log: Log) {
    this.#log = log;
  }

  /** Up to which everything is known; empty before the first list. */
  get version(): string {
    return this.#version;
  }

  get size(): number {
    return this.#objects.size;
  }

  get(key: string): T | undefined {
    return this.#objects.get(key);
  }

  all(): T[] {
    return [...this.#objects.values()];
  }

  observe(observer: ObjectObserver<T>): () => void {
    this.#observers.add(observer);
    return () => this.#observers.delete(observer);
  }

  /** Everything up to `version` is known. False when it is older than what is. */
  reached(version: string): boolean {
    if (isOlderVersion(version, this.#version)) return false;
    this.#version = version;
    return true;
  }

  /** One change; false for one that is not newer than what is known, which changes nothing. */
  put(object: T): boolean {
    const { resourceVersion } = object.metadata;
    if (!isNewerVersion(resourceVersion, this.#version)) return false;
    this.#version = resourceVersion;
    this.#set(object);
    return true;
  }

  /** The end of an object, which has a version of its own; false as {@link put}. */
  remove(object: KubernetesObject): boolean {
    const { resourceVersion } = object.metadata;
    if (!isNewerVersion(resourceVersion, this.#version)) return false;
    this.#version = resourceVersion;
    this.#drop(keyOf(object));
    return true;
  }

  /**
   * All there are. First what is new or other is told, then what is gone, then all.
   *
   * @param isAnew the server has gone back: one version does not mean one state any more
   */
  replace(all: readonly T[], version: string, isAnew: boolean): void {
    const gone = new Map(this.#objects);
    for (const object of all) {
      const known = gone.get(keyOf(object));
      gone.delete(keyOf(object));
      const { uid, resourceVersion } = object.metadata;
      const isSame =
        known?.metadata.resourceVersion === resourceVersion && known.metadata.uid === uid;
      if (!isSame || isAnew) this.#set(object);
    }
    this.#version = version;
    for (const key of gone.keys()) this.#drop(key);
    this.#tell((each) => each.replaced?.(this.all()));
  }

  #set(object: T): void {
    const key = keyOf(object);
    const change: ObjectChange = this.#objects.has(key) ? "modified" : "added";
    this.#objects.set(key, object);
    this.#tell((each) => each.changed?.(change, object));
  }

  #drop(key: string): void {
    const object = this.#objects.get(key);
    if (object === undefined) return;
    this.#objects.delete(key);
    this.#tell((each) => each.deleted?.(object));
  }

  #tell(what: (observer: ObjectObserver<T>) => void): void {
    for (const observer of [...this.#observers]) {
      try {
        what(observer);
      } catch (error) {
        this.#log.error(`a change of the cluster was not dealt with: ${errorText(error)}`);
      }
    }
  }
}
