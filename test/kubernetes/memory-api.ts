import type { WeaveError } from "../../lib/base/errors.ts";
import type {
  KubernetesApi,
  NewObject,
  ObjectPage,
  PageRequest,
  WatchEvent,
  WatchRequest,
} from "../../lib/kubernetes/kubernetes-api.ts";
import {
  type KubernetesErrorCode,
  kubernetesError,
} from "../../lib/kubernetes/kubernetes-error.ts";
import type { KubernetesObject } from "../../lib/kubernetes/objects.ts";
import type { ObjectPlace, Resource } from "../../lib/kubernetes/resources.ts";
import { type FakeCluster, type FakeEvent, FakeRefusal } from "./fake-cluster.ts";

const codes: Readonly<Record<number, KubernetesErrorCode>> = {
  404: "K8S_NOT_FOUND",
  409: "K8S_CONFLICT",
  410: "K8S_GONE",
};

/** A call, as tests delay it or have it fail. */
export interface MemoryCall {
  readonly verb: "get" | "list" | "watch" | "create" | "update" | "patch";
  readonly plural: string;
}

/**
 * The API of a cluster without HTTP: what is asked happens at once, or when `before` lets it, so
 * that one seed gives one history.
 */
export class MemoryApi implements KubernetesApi {
  readonly #cluster: FakeCluster;
  /** Waited for before each call; what it throws is what the call fails with. */
  before: (call: MemoryCall) => void | Promise<void> = () => undefined;
  /** Waited for after each, whose answer may come late or, when it throws, not at all. */
  after: (call: MemoryCall) => void | Promise<void> = () => undefined;
  readonly calls: MemoryCall[] = [];
  /** Objects of a page. */
  pageMax = 2;
  readonly #watches = new Set<MemoryWatch>();

  constructor(cluster: FakeCluster) {
    this.#cluster = cluster;
    cluster.listen((event) => {
      for (const watch of this.#watches) watch.tell(event);
    });
  }

  get<T extends KubernetesObject>(resource: Resource<T>, place: ObjectPlace) {
    return this.#call({ verb: "get", plural: resource.plural }, () => {
      const found = this.#cluster.get(resource.plural, keyOf(place));
      return found === undefined ? undefined : resource.read(structuredClone(found));
    });
  }

  list<T extends KubernetesObject>(
    resource: Resource<T>,
    { limit, continueToken }: PageRequest,
  ): Promise<ObjectPage<T>> {
    return this.#call({ verb: "list", plural: resource.plural }, () => {
      const page = this.#cluster.list(resource.plural, {
        limit: limit === 0 ? 0 : Math.min(limit, this.pageMax),
        continueToken,
      });
      return {
        resourceVersion: String(page.revision),
        continueToken: page.continueToken,
        items: page.items.map((item) => resource.read(structuredClone(item))),
        unreadable: 0,
      };
    });
  }

  async *watch<T extends KubernetesObject>(
    resource: Resource<T>,
    { resourceVersion }: WatchRequest,
    signal: AbortSignal,
  ): AsyncGenerator<WatchEvent<T>, void, undefined> {
    const { plural } = resource;
    const watch = await this.#call({ verb: "watch", plural }, () => {
      const missed = this.#cluster.since(plural, Number(resourceVersion));
      const opened = new MemoryWatch(plural, signal);
      for (const event of missed) opened.tell(event);
      this.#watches.add(opened);
      return opened;
    });
    try {
      for (;;) {
        const told = await watch.next();
        if (told === undefined) return;
        if ("revision" in told && !("object" in told)) {
          yield { type: "BOOKMARK", resourceVersion: String(told.revision) };
        } else {
          yield { type: told.type, object: resource.read(structuredClone(told.object)) };
        }
      }
    } finally {
      this.#watches.delete(watch);
    }
  }

  create<T extends KubernetesObject>(resource: Resource<T>, object: NewObject): Promise<T> {
    return this.#call({ verb: "create", plural: resource.plural }, () =>
      resource.read(this.#cluster.create(resource.plural, JSON.parse(JSON.stringify(object)))),
    );
  }

  replace<T extends KubernetesObject>(resource: Resource<T>, object: T): Promise<T> {
    return this.#call({ verb: "update", plural: resource.plural }, () =>
      resource.read(this.#cluster.replace(resource.plural, structuredClone(object))),
    );
  }

  patch<T extends KubernetesObject>(
    resource: Resource<T>,
    place: ObjectPlace,
    change: unknown,
  ): Promise<T> {
    return this.#call({ verb: "patch", plural: resource.plural }, () =>
      resource.read(
        this.#cluster.patch(resource.plural, keyOf(place), Object(change), {
          strategic: true,
          subresource: place.subresource ?? "",
        }),
      ),
    );
  }

  bookmark(): void {
    for (const watch of this.#watches) watch.bookmark(this.#cluster.revision);
  }

  /** Ends all watches: as after their time, or with an error. */
  endWatches(error?: KubernetesErrorCode): void {
    for (const watch of this.#watches) watch.end(error && failureOf(error));
  }

  get watching(): number {
    return this.#watches.size;
  }

  async #call<R>(call: MemoryCall, act: () => R): Promise<R> {
    this.calls.push(call);
    await this.before(call);
    let result: R;
    try {
      result = act();
    } catch (error) {
      if (!(error instanceof FakeRefusal)) throw error;
      throw kubernetesError(codes[error.status] ?? "K8S_REFUSED", error.message);
    }
    await this.after(call);
    return result;
  }
}

/** What a server that is out of order answers. */
export function failureOf(code: KubernetesErrorCode): WeaveError {
  return kubernetesError(code, `the server is out of order (${code})`);
}

class MemoryWatch {
  readonly #plural: string;
  readonly #signal: AbortSignal;
  readonly #told: (FakeEvent | { readonly revision: number })[] = [];
  #ended: { readonly error: Error | undefined } | undefined;
  #wake: () => void = () => undefined;

  constructor(plural: string, signal: AbortSignal) {
    this.#plural = plural;
    this.#signal = signal;
    signal.addEventListener("abort", () => this.end(failureOf("K8S_UNREACHABLE")));
  }

  tell(event: FakeEvent): void {
    if (event.plural === this.#plural) this.#add(event);
  }

  bookmark(revision: number): void {
    this.#add({ revision });
  }

  end(error: Error | undefined): void {
    this.#ended ??= { error };
    this.#wake();
  }

  /** `undefined` at the end; what was told before it may be lost then. */
  async next(): Promise<FakeEvent | { readonly revision: number } | undefined> {
    while (this.#told.length === 0 && this.#ended === undefined && !this.#signal.aborted) {
      const { promise, resolve } = Promise.withResolvers<void>();
      this.#wake = resolve;
      await promise;
    }
    if (this.#ended?.error !== undefined) throw this.#ended.error;
    return this.#told.shift();
  }

  #add(told: FakeEvent | { readonly revision: number }): void {
    this.#told.push(told);
    this.#wake();
  }
}

function keyOf({ namespace = "", name = "" }: ObjectPlace): string {
  return namespace === "" ? name : `${namespace}/${name}`;
}
