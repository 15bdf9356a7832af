import * as v from "valibot";
import { type AskedOf, apiFailure, isAbsence } from "./api-failure.ts";
import { type ApiRequest, ApiTransport } from "./api-transport.ts";
import type { ClusterAccess } from "./cluster-access.ts";
import type {
  KubernetesApi,
  NewObject,
  ObjectPage,
  PageRequest,
  WatchEvent,
  WatchRequest,
} from "./kubernetes-api.ts";
import { kubernetesError } from "./kubernetes-error.ts";
import type { KubernetesObject } from "./objects.ts";
import { type ObjectPlace, type Resource, resourcePath } from "./resources.ts";
import { WatchLines } from "./watch-lines.ts";

const json = "application/json";

const pageSchema = v.object({
  metadata: v.object({
    resourceVersion: v.string(),
    continue: v.optional(v.string(), ""),
  }),
  items: v.optional(v.nullish(v.array(v.unknown()), []), []),
});

/** The API of a Kubernetes cluster over HTTP (Kubernetes, "API Concepts"). */
export class ApiClient implements KubernetesApi {
  readonly #transport: ApiTransport;

  constructor(access: ClusterAccess) {
    this.#transport = new ApiTransport(access);
  }

  async get<T extends KubernetesObject>(
    resource: Resource<T>,
    place: ObjectPlace,
  ): Promise<T | undefined> {
    const request = { method: "GET", path: resourcePath(resource, place) } as const;
    const { status, text } = await this.#transport.ask(request);
    if (status === 404 && isAbsence(text)) return undefined;
    if (status >= 300) throw apiFailure(status, text, { verb: "get", resource });
    return resource.read(parseAnswer(text));
  }

  async list<T extends KubernetesObject>(
    resource: Resource<T>,
    { limit, continueToken }: PageRequest,
    signal: AbortSignal,
  ): Promise<ObjectPage<T>> {
    const query = new URLSearchParams({ limit: String(limit) });
    if (continueToken !== "") query.set("continue", continueToken);
    const path = `${resourcePath(resource)}?${query}`;
    const raw = await this.#ask({ method: "GET", path, signal }, { verb: "list", resource });
    const page = v.safeParse(pageSchema, raw);
    if (!page.success) throw notTheApi();
    const { metadata, items } = page.output;
    const read = items.flatMap((item) => tryRead(resource, item) ?? []);
    return {
      resourceVersion: metadata.resourceVersion,
      continueToken: metadata.continue,
      items: read,
      unreadable: items.length - read.length,
    };
  }

  async *watch<T extends KubernetesObject>(
    resource: Resource<T>,
    { resourceVersion, timeoutSeconds }: WatchRequest,
    signal: AbortSignal,
  ): AsyncGenerator<WatchEvent<T>, void, undefined> {
    const query = new URLSearchParams({
      ...{ watch: "1", allowWatchBookmarks: "true", resourceVersion },
      timeoutSeconds: String(timeoutSeconds),
    });
    const path = `${resourcePath(resource)}?${query}`;
    const answer = await this.#transport.follow({ method: "GET", path }, signal);
    if (answer.status >= 300) {
      throw apiFailure(answer.status, await answer.text(), { verb: "watch", resource });
    }
    const lines = new WatchLines(resource);
    for await (const chunk of answer.chunks()) yield* lines.push(chunk);
  }

  create<T extends KubernetesObject>(resource: Resource<T>, object: NewObject): Promise<T> {
    const { namespace } = object.metadata;
    const path = resourcePath(resource, namespace === undefined ? {} : { namespace });
    const body = { contentType: json, value: object };
    return this.#write(resource, { method: "POST", path, body }, { verb: "create" });
  }

  replace<T extends KubernetesObject>(resource: Resource<T>, object: T): Promise<T> {
    const { namespace, name } = object.metadata;
    const path = resourcePath(resource, { namespace, name });
    const body = { contentType: json, value: object };
    return this.#write(resource, { method: "PUT", path, body }, { verb: "update" });
  }

  patch<T extends KubernetesObject>(
    resource: Resource<T>,
    place: ObjectPlace,
    change: unknown,
  ): Promise<T> {
    const path = resourcePath(resource, place);
    const body = { contentType: "application/strategic-merge-patch+json", value: change };
    const { subresource } = place;
    return this.#write(resource, { method: "PATCH", path, body }, { verb: "patch", subresource });
  }

  async #write<T extends KubernetesObject>(
    resource: Resource<T>,
    request: ApiRequest,
    asked: Omit<AskedOf, "resource">,
  ): Promise<T> {
    return resource.read(await this.#ask(request, { ...asked, resource }));
  }

  async #ask(request: ApiRequest, asked: AskedOf): Promise<unknown> {
    const { status, text } = await this.#transport.ask(request);
    if (status >= 300) throw apiFailure(status, text, asked);
    return parseAnswer(text);
  }
}

function tryRead<T extends KubernetesObject>(resource: Resource<T>, raw: unknown): T | undefined {
  try {
    return resource.read(raw);
  } catch {
    return undefined;
  }
}

function parseAnswer(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw notTheApi();
  }
}

function notTheApi(): Error {
  return kubernetesError("K8S_ANSWER", "what answers is no Kubernetes API");
}
