import { FakeCluster, type FakeEvent, type FakeObject, FakeRefusal } from "./fake-cluster.ts";

/** What a request does, in the words of RBAC. */
export interface FakeRequest {
  readonly verb: "get" | "list" | "watch" | "create" | "update" | "patch" | "delete";
  readonly plural: string;
  readonly namespace: string;
  readonly name: string;
  readonly subresource: string;
  readonly query: URLSearchParams;
  readonly headers: Headers;
  /** Empty when there is none. */
  readonly body: string;
}

export interface FakeServerOptions {
  readonly cluster?: FakeCluster;
  /** Default: 127.0.0.1. */
  readonly hostname?: string;
  /** PEM; without it the server is in clear. */
  readonly tls?: { readonly cert: string; readonly key: string; readonly ca?: string };
  /** Bearer tokens that it knows; without it everybody may do everything. */
  readonly tokens?: Set<string>;
}

/**
 * An API server of Kubernetes in memory, over HTTP, for tests. It answers what agents ask for:
 *
 *   GET    <kind>[?limit=&continue=&labelSelector=a=b&fieldSelector=spec.nodeName=n1]   pages
 *   GET    <kind>?watch=1&resourceVersion=…[&allowWatchBookmarks=true]   changes, 410 after compact()
 *   GET POST PUT PATCH DELETE <kind>[/<name>[/status]]    409 for what was changed meanwhile
 *
 * A test changes objects with `cluster.apply`, `.delete`, …, and everybody who watches is told at
 * once, in that order. What goes wrong is asked for:
 *
 *   refuse(matches, status, message?)   answers matching requests so, until what it returns is called
 *   conflicts = n                       the next n writes conflict, whatever they write
 *   hold()                              requests wait until what it returns is called
 *   stall() / proceed()                 watches are silent, and tell afterwards what they missed
 *   dropWatches()                       connections break in the middle of a line
 *   endWatches()                        they end as after `timeoutSeconds`
 *   gone()                              each watch is told that its version is too old, and ends
 *   bookmark()                          each watch is told how far it has come
 *   goAway() / comeBack()               nobody listens; then at the same port
 *
 * `requests` has all that came, `watching` the number of watches of a kind. Waiting for a state:
 * `await server.until(() => …)`, which looks after each request and each turn of the event loop.
 */
export class FakeApiServer implements AsyncDisposable {
  readonly cluster: FakeCluster;
  readonly requests: FakeRequest[] = [];
  conflicts = 0;
  readonly #options: FakeServerOptions;
  readonly #refusals = new Set<(request: FakeRequest) => Response | undefined>();
  readonly #watches = new Set<FakeWatch>();
  readonly #end: () => void;
  #held: Promise<void> | undefined;
  #isStalled = false;
  #server: Bun.Server<undefined> | undefined;
  #port = 0;

  constructor(options: FakeServerOptions = {}) {
    this.#options = options;
    this.cluster = options.cluster ?? new FakeCluster();
    this.#end = this.cluster.listen((event) => this.#tell(event));
    this.comeBack();
  }

  /** `http://127.0.0.1:41234` */
  get url(): string {
    const { hostname = "127.0.0.1", tls } = this.#options;
    const host = hostname.includes(":") ? `[${hostname}]` : hostname;
    return `${tls === undefined ? "http" : "https"}://${host}:${this.#port}`;
  }

  get port(): number {
    return this.#port;
  }

  /** How many watch a kind now. */
  watching(plural: string): number {
    return [...this.#watches].filter((watch) => watch.plural === plural).length;
  }

  /** How often a verb was asked of a kind. */
  asked(verb: FakeRequest["verb"], plural: string): number {
    return this.requests.filter((each) => each.verb === verb && each.plural === plural).length;
  }

  refuse(
    matches: (request: FakeRequest) => boolean,
    status: number,
    { reason = "", message = "refused", headers = {} } = {},
  ): () => void {
    const refusal = (request: FakeRequest) =>
      matches(request) ? statusAnswer(status, reason, message, headers) : undefined;
    this.#refusals.add(refusal);
    return () => this.#refusals.delete(refusal);
  }

  /** Refuses as a server without the rule does that would allow it. */
  forbid(verb: FakeRequest["verb"], plural: string): () => void {
    return this.refuse((request) => request.verb === verb && request.plural === plural, 403, {
      reason: "Forbidden",
      message: `${plural} is forbidden: User "system:serviceaccount:kube-system:weave-net" cannot ${verb} resource "${plural}" in API group "" at the cluster scope`,
    });
  }

  hold(): () => void {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#held = promise;
    return () => {
      this.#held = undefined;
      resolve();
    };
  }

  stall(): void {
    this.#isStalled = true;
  }

  proceed(): void {
    this.#isStalled = false;
    for (const watch of this.#watches) watch.flush();
  }

  /** Half a line, and then nothing: as from a server or a proxy that dies. */
  dropWatches(): void {
    for (const watch of this.#takeWatches()) watch.break();
  }

  endWatches(): void {
    for (const watch of this.#takeWatches()) watch.end();
  }

  gone(): void {
    for (const watch of this.#takeWatches()) {
      watch.line({
        type: "ERROR",
        object: statusObject(410, "Expired", "too old resource version"),
      });
      watch.end();
    }
  }

  /** To those who have asked for them. */
  bookmark(): void {
    for (const watch of this.#watches) {
      if (watch.takesBookmarks) watch.bookmark(this.cluster.revision);
    }
  }

  goAway(): void {
    for (const watch of this.#takeWatches()) watch.break();
    this.#server?.stop(true);
    this.#server = undefined;
  }

  comeBack(): void {
    const { hostname = "127.0.0.1", tls } = this.#options;
    this.#server ??= Bun.serve({
      ...{ hostname, port: this.#port, idleTimeout: 0 },
      ...(tls !== undefined && {
        tls: { ...tls, ...(tls.ca !== undefined && { requestCert: true }) },
      }),
      fetch: (request) => this.#answer(request),
    });
    this.#port = this.#server.port!;
  }

  async until(holds: () => boolean): Promise<void> {
    while (!holds()) await new Promise((resolve) => setImmediate(resolve));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#end();
    this.endWatches();
    await this.#server?.stop(true);
  }

  #takeWatches(): FakeWatch[] {
    const all = [...this.#watches];
    this.#watches.clear();
    return all;
  }

  #tell(event: FakeEvent): void {
    for (const watch of this.#watches) {
      if (watch.plural === event.plural) watch.tell(event, this.#isStalled);
    }
  }

  async #answer(http: Request): Promise<Response> {
    const { tokens } = this.#options;
    const token = http.headers.get("authorization")?.replace(/^Bearer /, "") ?? "";
    if (tokens !== undefined && !tokens.has(token)) {
      return statusAnswer(401, "Unauthorized", "Unauthorized");
    }
    try {
      const request = this.#read(http, await http.text());
      if (request === undefined) return new Response("404 page not found", { status: 404 });
      this.requests.push(request);
      await this.#held;
      for (const refusal of this.#refusals) {
        const answer = refusal(request);
        if (answer !== undefined) return answer;
      }
      return this.#carryOut(request);
    } catch (error) {
      if (!(error instanceof FakeRefusal)) throw error;
      return statusAnswer(error.status, error.reason, error.message);
    }
  }

  #read(http: Request, body: string): FakeRequest | undefined {
    const { pathname, searchParams: query } = new URL(http.url);
    const match =
      /^\/(?:api\/v1|apis\/([^/]+\/[^/]+))(?:\/namespaces\/([^/]+)(?=\/[^/]+))?\/([^/]+)(?:\/([^/]+))?(?:\/([^/]+))?$/.exec(
        pathname,
      );
    if (match === null) return undefined;
    const [, apiVersion = "v1", namespace = "", plural = "", name = "", subresource = ""] = match;
    if (this.cluster.definition(plural)?.apiVersion !== apiVersion) return undefined;
    const isWatch = ["1", "true"].includes(query.get("watch") ?? "");
    const reads = name !== "" ? "get" : isWatch ? "watch" : "list";
    const verbs = {
      GET: reads,
      POST: "create",
      PUT: "update",
      PATCH: "patch",
      DELETE: "delete",
    } as const;
    const verb = verbs[http.method as keyof typeof verbs];
    return {
      ...{ verb, plural, namespace, name, subresource, query, body },
      headers: http.headers,
    };
  }

  #carryOut(request: FakeRequest): Response {
    const { verb, plural, namespace, name, subresource } = request;
    const key = namespace === "" ? name : `${namespace}/${name}`;
    const writes = verb === "create" || verb === "update" || verb === "patch";
    if (writes && this.conflicts > 0) {
      this.conflicts--;
      throw new FakeRefusal(409, "Conflict", "the object has been modified");
    }
    switch (verb) {
      case "list":
        return this.#list(request);
      case "watch":
        return this.#watch(request);
      case "get": {
        const found = this.cluster.get(plural, key);
        if (found === undefined)
          throw new FakeRefusal(404, "NotFound", `${plural} "${name}" not found`);
        return Response.json(found);
      }
      case "create": {
        const object = placed(request);
        return Response.json(this.cluster.create(plural, object), { status: 201 });
      }
      case "update":
        return Response.json(this.cluster.replace(plural, placed(request)));
      case "patch": {
        const strategic = request.headers.get("content-type")?.includes("strategic") === true;
        const change: Record<string, unknown> = JSON.parse(request.body);
        return Response.json(this.cluster.patch(plural, key, change, { strategic, subresource }));
      }
      case "delete":
        return Response.json(this.cluster.delete(plural, key));
    }
  }

  #list({ plural, namespace, query }: FakeRequest): Response {
    const { items, revision, continueToken } = this.cluster.list(plural, {
      namespace,
      limit: Number(query.get("limit") ?? 0),
      continueToken: query.get("continue") ?? "",
      selects: selection(query),
    });
    const { apiVersion, kind } = this.cluster.definition(plural)!;
    return Response.json({
      ...{ apiVersion, kind: `${kind}List` },
      metadata: {
        resourceVersion: String(revision),
        ...(continueToken !== "" && { continue: continueToken }),
      },
      // Members of lists do not say what they are.
      items: items.map(({ apiVersion: _version, kind: _kind, ...item }) => item),
    });
  }

  #watch(request: FakeRequest): Response {
    const { plural, namespace, query } = request;
    const missed = this.cluster.since(plural, Number(query.get("resourceVersion") ?? 0));
    const selects = selection(query);
    const watch = new FakeWatch(
      ...([plural, query.get("allowWatchBookmarks") === "true"] as const),
      (object) => (namespace === "" || object.metadata.namespace === namespace) && selects(object),
      () => this.#watches.delete(watch),
    );
    this.#watches.add(watch);
    for (const event of missed) watch.tell(event, this.#isStalled);
    return new Response(watch.body, { headers: { "Content-Type": "application/json" } });
  }
}

/** One connection that tells of changes. */
class FakeWatch {
  readonly plural: string;
  readonly takesBookmarks: boolean;
  readonly body: ReadableStream<Uint8Array>;
  readonly #selects: (object: FakeObject) => boolean;
  #controller: ReadableStreamDefaultController<Uint8Array> | undefined;
  #waiting: FakeEvent[] = [];
  /** Of what it was told last, or would have been told had it been selected. */
  #revision = 0;

  constructor(
    plural: string,
    takesBookmarks: boolean,
    selects: (object: FakeObject) => boolean,
    left: () => void,
  ) {
    this.plural = plural;
    this.takesBookmarks = takesBookmarks;
    this.#selects = selects;
    this.body = new ReadableStream({
      start: (controller) => {
        this.#controller = controller;
        // The head of the answer goes out with the first octet.
        this.#write("\n");
      },
      cancel: left,
    });
  }

  tell(event: FakeEvent, isStalled: boolean): void {
    this.#waiting.push(event);
    if (!isStalled) this.flush();
  }

  flush(): void {
    for (const event of this.#waiting.splice(0)) {
      this.#revision = event.revision;
      const told = this.#seen(event);
      if (told !== undefined) this.line(told);
    }
  }

  /** Whom a change makes one of the selected is new to who watches, and gone the other way round. */
  #seen({ type, object, before }: FakeEvent): Pick<FakeEvent, "type" | "object"> | undefined {
    const was = before !== undefined && this.#selects(before);
    const is = type !== "DELETED" && this.#selects(object);
    if (is) return { type: was ? "MODIFIED" : "ADDED", object };
    if (!was) return undefined;
    const { resourceVersion } = object.metadata;
    const last = { ...before, metadata: { ...before.metadata, resourceVersion: resourceVersion! } };
    return { type: "DELETED", object: last };
  }

  /** Only what was told before is known to have been. */
  bookmark(revision: number): void {
    const { plural } = this;
    const resourceVersion = String(this.#waiting.length > 0 ? this.#revision : revision);
    this.line({
      type: "BOOKMARK",
      object: { kind: plural, metadata: { resourceVersion, creationTimestamp: null } },
    });
  }

  line(event: unknown): void {
    this.#write(`${JSON.stringify(event)}\n`);
  }

  break(): void {
    this.#write('{"type":"ADDED","object":{"metadata":{"na');
    this.end();
  }

  end(): void {
    this.#controller?.close();
    this.#controller = undefined;
  }

  #write(text: string): void {
    this.#controller?.enqueue(new TextEncoder().encode(text));
  }
}

/** The object of a request, in the namespace of its path. */
function placed({ body, namespace }: FakeRequest): FakeObject {
  const object: FakeObject = JSON.parse(body);
  return namespace === "" ? object : { ...object, metadata: { ...object.metadata, namespace } };
}

/** Equalities alone, of labels and of fields by their path. */
function selection(query: URLSearchParams): (object: FakeObject) => boolean {
  const wanted = [
    ...equalities(query.get("labelSelector")).map(
      ([key, value]) => [["metadata", "labels", key], value] as const,
    ),
    ...equalities(query.get("fieldSelector")).map(
      ([path, value]) => [path.split("."), value] as const,
    ),
  ];
  return (object) => wanted.every(([path, value]) => fieldOf(object, path) === value);
}

function equalities(text: string | null): [string, string][] {
  if (text === null || text === "") return [];
  return text.split(",").map((each) => {
    const [key = "", value = ""] = each.split(/==?/);
    return [key, value];
  });
}

function fieldOf(value: unknown, path: readonly string[]): unknown {
  return path.reduce<unknown>(
    (within, key) =>
      typeof within === "object" && within !== null && key in within
        ? within[key as keyof typeof within]
        : undefined,
    value,
  );
}

function statusObject(code: number, reason: string, message: string): Record<string, unknown> {
  return { ...{ kind: "Status", apiVersion: "v1", status: "Failure" }, code, reason, message };
}

function statusAnswer(
  status: number,
  reason: string,
  message: string,
  headers: Record<string, string> = {},
): Response {
  return Response.json(statusObject(status, reason, message), { status, headers });
}
