/** How to ask an API server. */
export interface ApiAccess {
  readonly url: string;
  readonly token: string;
  /** PEM; without it the server is in clear. */
  readonly authority?: string;
}

/** One answer, without what differs from server to server. */
export type Answer = Readonly<Record<string, unknown>>;

/** What a watch told. */
interface Told {
  readonly type: string;
  readonly name?: string;
  readonly code?: number;
  readonly reason?: string;
  readonly annotations?: unknown;
}

/** A request that is not answered, or a watch that tells less than it should, fails after this. */
const silenceMaxMs = 20_000;

/** Asks a server, and forgets of its answers what nobody may rely on. */
export class ScriptClient {
  readonly access: ApiAccess;

  constructor(access: ApiAccess) {
    this.access = access;
  }

  async ask(
    method: string,
    path: string,
    body?: object,
    type = "application/json",
  ): Promise<Answer> {
    const answer = await this.#send(method, path, body, type);
    const said = await this.#body(answer);
    const { status } = answer;
    if (said.kind === "Status") {
      return { status, ...(status >= 400 && { reason: said.reason, code: said.code }) };
    }
    return method === "DELETE" ? { status } : { status, ...essence(said) };
  }

  async metadata(path: string): Promise<Record<string, unknown>> {
    const { metadata } = await this.#body(await this.#send("GET", path));
    return isRecord(metadata) ? metadata : {};
  }

  async list(path: string): Promise<Answer> {
    const { kind, items } = await this.#body(await this.#send("GET", path));
    const members = Array.isArray(items) ? items.filter(isRecord) : [];
    const own = members.filter((each) => essence(each).name !== "kube-root-ca.crt");
    return { kind, items: own.map(essence) };
  }

  async page(path: string): Promise<{ names: unknown[]; next: string; version: string }> {
    const { metadata, items } = await this.#body(await this.#send("GET", path));
    const members = Array.isArray(items) ? items.filter(isRecord) : [];
    const said = isRecord(metadata) ? metadata : {};
    return {
      names: members.map((each) => essence(each).name),
      next: String(said.continue ?? ""),
      version: String(said.resourceVersion),
    };
  }

  /** The first that a watch tells, whether by events or by its status. */
  async watch(path: string, count: number): Promise<{ told: Told[] }> {
    const answer = await this.#send("GET", `${path}&watch=true`);
    if (!answer.ok) {
      const { code, reason } = await this.#body(answer);
      return { told: [{ type: "ERROR", code: Number(code), reason: String(reason) }] };
    }
    const told: Told[] = [];
    let text = "";
    const decoder = new TextDecoder();
    const reader = answer.body!.getReader();
    while (told.length < count) {
      const { done, value } = await reader.read();
      if (done) break;
      text += decoder.decode(value, { stream: true });
      const lines = text.split("\n");
      text = lines.pop() ?? "";
      told.push(...lines.filter((line) => line.trim() !== "").map(event));
    }
    void reader.cancel();
    return { told: told.slice(0, count) };
  }

  #send(method: string, path: string, body?: object, type?: string): Promise<Response> {
    const { url, token, authority } = this.access;
    return fetch(`${url}${path}`, {
      ...{ method, signal: AbortSignal.timeout(silenceMaxMs) },
      headers: {
        Authorization: `Bearer ${token}`,
        ...(type !== undefined && { "Content-Type": type }),
      },
      ...(body !== undefined && { body: JSON.stringify(body) }),
      ...(authority !== undefined && { tls: { ca: authority } }),
    });
  }

  async #body(answer: Response): Promise<Record<string, unknown>> {
    const text = await answer.text();
    const said: unknown = text.startsWith("{") ? JSON.parse(text) : {};
    return isRecord(said) ? said : {};
  }
}

function event(line: string): Told {
  const { type, object } = JSON.parse(line);
  if (type === "ERROR") return { type, code: object.code, reason: object.reason };
  const { name, annotations } = essence(object);
  return { type, name: String(name), annotations };
}

/** Of an object, what the script has put there. */
function essence(object: Record<string, unknown>): Record<string, unknown> {
  const metadata = isRecord(object.metadata) ? object.metadata : {};
  const { conditions } = isRecord(object.status) ? object.status : {};
  return {
    kind: object.kind,
    name: metadata.name,
    namespace: metadata.namespace,
    labels: ownLabels(metadata.labels),
    annotations: unlessEmpty(metadata.annotations),
    has: ["uid", "resourceVersion", "creationTimestamp"].filter((key) => key in metadata),
    ...(isRecord(object.spec) && withoutDefaults(object.spec)),
    ...(Array.isArray(conditions) && { conditions: byType(conditions.filter(isRecord)) }),
  };
}

/** Without the one that later servers give every namespace. */
function ownLabels(labels: unknown): unknown {
  if (!isRecord(labels)) return labels;
  const { "kubernetes.io/metadata.name": _name, ...own } = labels;
  return unlessEmpty(own);
}

function unlessEmpty(value: unknown): unknown {
  return isRecord(value) && Object.keys(value).length === 0 ? undefined : value;
}

/** Finalizers of namespaces and taints of nodes are the affair of controllers. */
function withoutDefaults(all: Record<string, unknown>): { spec?: object } {
  const { taints: _taints, finalizers: _finalizers, ...spec } = all;
  return Object.keys(spec).length === 0 ? {} : { spec };
}

/** Conditions are a map of their type: their order says nothing. */
function byType(conditions: readonly Record<string, unknown>[]): object {
  return Object.fromEntries(conditions.map((each) => [String(each.type), withoutTimes(each)]));
}

function withoutTimes({
  lastHeartbeatTime: _heartbeat,
  lastTransitionTime: _transition,
  ...said
}: Record<string, unknown>): object {
  return said;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
