import type { KubernetesObject } from "./objects.ts";
import type { ObjectPlace, Resource } from "./resources.ts";

/** What is asked of an API server; all calls throw WeaveError `K8S_…` (`kubernetes-error.ts`). */
export interface KubernetesApi {
  /** `undefined` for what is not there. */
  get<T extends KubernetesObject>(
    resource: Resource<T>,
    place: ObjectPlace,
  ): Promise<T | undefined>;
  /** Some of the objects of a kind; all of them when pages are asked for until none follows. */
  list<T extends KubernetesObject>(
    resource: Resource<T>,
    page: PageRequest,
    signal: AbortSignal,
  ): Promise<ObjectPage<T>>;
  /** What happens to objects of a kind, until the server or `signal` ends it. */
  watch<T extends KubernetesObject>(
    resource: Resource<T>,
    from: WatchRequest,
    signal: AbortSignal,
  ): AsyncIterable<WatchEvent<T>>;
  /** @throws WeaveError `K8S_CONFLICT` where it is there already */
  create<T extends KubernetesObject>(resource: Resource<T>, object: NewObject): Promise<T>;
  /** @throws WeaveError `K8S_CONFLICT` when it has another version by now, or is gone */
  replace<T extends KubernetesObject>(resource: Resource<T>, object: T): Promise<T>;
  /** A strategic merge patch: lists whose members have a key are merged by it. */
  patch<T extends KubernetesObject>(
    resource: Resource<T>,
    place: ObjectPlace,
    change: unknown,
  ): Promise<T>;
}

/** An object that is to be made. */
export interface NewObject {
  readonly metadata: {
    readonly name: string;
    readonly namespace?: string;
    readonly annotations?: Readonly<Record<string, string>>;
  };
}

export interface PageRequest {
  readonly limit: number;
  /** Of the page before; empty for the first. */
  readonly continueToken: string;
}

export interface ObjectPage<T extends KubernetesObject> {
  /** Of all pages alike: the moment that they show. */
  readonly resourceVersion: string;
  readonly items: readonly T[];
  /** Objects that nobody could read, which are left out. */
  readonly unreadable: number;
  /** Empty on the last page. */
  readonly continueToken: string;
}

export interface WatchRequest {
  /** What happened after this is told. */
  readonly resourceVersion: string;
  /** After this time the server ends it. */
  readonly timeoutSeconds: number;
}

export type WatchEvent<T extends KubernetesObject> =
  | { readonly type: "ADDED" | "MODIFIED"; readonly object: T }
  /** With the version in which it ended. */
  | { readonly type: "DELETED"; readonly object: KubernetesObject }
  /** Everything up to this version has been told. */
  | { readonly type: "BOOKMARK"; readonly resourceVersion: string }
  /** An object became one that nobody can read. */
  | { readonly type: "UNREADABLE"; readonly resourceVersion: string };
