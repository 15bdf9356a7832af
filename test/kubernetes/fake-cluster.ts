import { mergePatch, strategicMerge } from "./merge-patch.ts";

/** Any JSON object with what all objects have. */
export interface FakeObject {
  apiVersion?: string;
  kind?: string;
  metadata: {
    name: string;
    namespace?: string;
    uid?: string;
    resourceVersion?: string;
    creationTimestamp?: string;
    labels?: Record<string, string>;
    annotations?: Record<string, string>;
    [field: string]: unknown;
  };
  [field: string]: unknown;
}

export type FakeEventType = "ADDED" | "MODIFIED" | "DELETED";

export interface FakeEvent {
  readonly type: FakeEventType;
  readonly plural: string;
  readonly revision: number;
  readonly object: FakeObject;
  /** What it was before; missing for one that was not there. */
  readonly before: FakeObject | undefined;
}

export interface FakeDefinition {
  /** `v1`, `networking.k8s.io/v1`, … */
  readonly apiVersion: string;
  readonly kind: string;
  readonly plural: string;
  readonly namespaced: boolean;
}

/** A refusal as the API has it. */
export class FakeRefusal extends Error {
  readonly status: number;
  readonly reason: string;

  constructor(status: number, reason: string, message: string) {
    super(message);
    this.status = status;
    this.reason = reason;
  }
}

const definitions: readonly FakeDefinition[] = [
  { apiVersion: "v1", kind: "Node", plural: "nodes", namespaced: false },
  { apiVersion: "v1", kind: "Namespace", plural: "namespaces", namespaced: false },
  { apiVersion: "v1", kind: "Pod", plural: "pods", namespaced: true },
  { apiVersion: "v1", kind: "ConfigMap", plural: "configmaps", namespaced: true },
  { apiVersion: "coordination.k8s.io/v1", kind: "Lease", plural: "leases", namespaced: true },
  {
    ...{ apiVersion: "networking.k8s.io/v1", kind: "NetworkPolicy" },
    ...{ plural: "networkpolicies", namespaced: true },
  },
];

/** Definitions that clusters have when somebody has added them; see {@link FakeCluster.define}. */
export const clusterPolicyDefinitions: readonly FakeDefinition[] = [
  ["AdminNetworkPolicy", "adminnetworkpolicies"] as const,
  ["BaselineAdminNetworkPolicy", "baselineadminnetworkpolicies"] as const,
].map(([kind, plural]) => ({
  ...{ apiVersion: "policy.networking.k8s.io/v1alpha1", kind, plural, namespaced: false },
}));

/** What a page of a list is asked for by. */
export interface FakeListRequest {
  /** Empty for all. */
  readonly namespace?: string;
  /** 0 for all at once. */
  readonly limit?: number;
  readonly continueToken?: string;
  readonly selects?: (object: FakeObject) => boolean;
}

/**
 * The objects of a cluster as an API server keeps them: every change gets the next revision of all,
 * changes are kept until {@link compact}, and who writes what it has not read conflicts. Everything
 * happens at once, in the order in which it is called.
 */
export class FakeCluster {
  readonly #definitions = new Map<string, FakeDefinition>();
  /** By plural and key, in order of key. */
  readonly #objects = new Map<string, Map<string, FakeObject>>();
  #history: FakeEvent[] = [];
  #compacted = 0;
  #revision = 100;
  #made = 0;
  readonly #listeners = new Set<(event: FakeEvent) => void>();

  constructor() {
    for (const definition of definitions) this.define(definition);
  }

  /** Of the last change. */
  get revision(): number {
    return this.#revision;
  }

  /** As `kubectl apply` of a CustomResourceDefinition. */
  define(definition: FakeDefinition): void {
    this.#definitions.set(definition.plural, definition);
    this.#objects.set(definition.plural, new Map());
  }

  /** As the deletion of one, which deletes its objects. */
  undefine(plural: string): void {
    for (const object of this.list(plural).items) this.delete(plural, keyOf(object));
    this.#definitions.delete(plural);
    this.#objects.delete(plural);
  }

  definition(plural: string): FakeDefinition | undefined {
    return this.#definitions.get(plural);
  }

  /** Makes an object, or another one of it: whatever its kind, and without a conflict. */
  apply(object: FakeObject & { kind: string }): FakeObject {
    const plural = this.pluralOf(object.kind);
    const known = this.get(plural, keyOf(object));
    if (known === undefined) return this.create(plural, object);
    const metadata = { ...object.metadata, resourceVersion: known.metadata.resourceVersion! };
    return this.replace(plural, { ...object, metadata });
  }

  pluralOf(kind: string): string {
    const found = [...this.#definitions.values()].find((each) => each.kind === kind);
    if (found === undefined) throw new Error(`no definition of ${kind}`);
    return found.plural;
  }

  get(plural: string, key: string): FakeObject | undefined {
    return this.#of(plural).get(key);
  }

  create(plural: string, object: FakeObject): FakeObject {
    const key = keyOf(object);
    if (this.#of(plural).has(key)) {
      throw new FakeRefusal(409, "AlreadyExists", `${plural} "${key}" already exists`);
    }
    this.#made++;
    const { name, labels } = object.metadata;
    const ownLabel = plural === "namespaces" ? { "kubernetes.io/metadata.name": name } : {};
    return this.#put("ADDED", plural, {
      ...object,
      metadata: {
        ...object.metadata,
        ...(plural === "namespaces" && { labels: { ...labels, ...ownLabel } }),
        uid: `uid-${this.#made}`,
        creationTimestamp: new Date(1_700_000_000_000 + this.#made * 1000).toISOString(),
      },
    });
  }

  /** An object with the version that it was read in; without one it is written, unless it is a lease. */
  replace(plural: string, object: FakeObject): FakeObject {
    const known = this.#mustHave(plural, keyOf(object));
    if (plural === "leases" && object.metadata.resourceVersion === undefined) {
      throw new FakeRefusal(
        ...([422, "Invalid"] as const),
        "metadata.resourceVersion: Invalid value: 0x0: must be specified for an update",
      );
    }
    mustBeLatest(plural, known, object.metadata);
    const { uid, creationTimestamp } = known.metadata;
    const metadata = { ...object.metadata, uid: uid!, creationTimestamp: creationTimestamp! };
    return this.#put("MODIFIED", plural, { ...object, metadata });
  }

  /** @param subresource `status`: nothing else of the object is changed */
  patch(
    plural: string,
    key: string,
    change: Record<string, unknown>,
    { strategic, subresource = "" }: { strategic: boolean; subresource?: string },
  ): FakeObject {
    const known = this.#mustHave(plural, key);
    if (isVersioned(change.metadata)) mustBeLatest(plural, known, change.metadata);
    const wanted = subresource === "" ? change : { [subresource]: change[subresource] };
    const merged = (strategic ? strategicMerge : mergePatch)(known, wanted);
    return this.#put("MODIFIED", plural, { ...known, ...merged });
  }

  delete(plural: string, key: string): FakeObject {
    const known = this.#mustHave(plural, key);
    return this.#put("DELETED", plural, known);
  }

  /** A page of what there is now, or was when the first page was asked for. */
  list(
    plural: string,
    { namespace = "", limit = 0, continueToken = "", selects = () => true }: FakeListRequest = {},
  ): { items: FakeObject[]; revision: number; continueToken: string } {
    const [atText, after = ""] = continueToken.split("|");
    const revision = continueToken === "" ? this.#revision : Number(atText);
    if (revision < this.#compacted) {
      throw new FakeRefusal(
        ...([410, "Expired"] as const),
        "The provided continue parameter is too old to display a consistent list result.",
      );
    }
    const found = [...this.#at(plural, revision).values()]
      .filter((object) => namespace === "" || object.metadata.namespace === namespace)
      .filter((object) => selects(object) && keyOf(object) > after)
      .sort((a, b) => (keyOf(a) < keyOf(b) ? -1 : 1));
    const items = limit === 0 ? found : found.slice(0, limit);
    const isWhole = items.length === found.length;
    return { items, revision, continueToken: isWhole ? "" : `${revision}|${keyOf(items.at(-1)!)}` };
  }

  /** What happened after a revision. Throws 410 when that is not known any more. */
  since(plural: string, revision: number): FakeEvent[] {
    if (revision < this.#compacted) {
      throw new FakeRefusal(
        ...([410, "Expired"] as const),
        `too old resource version: ${revision} (${this.#compacted})`,
      );
    }
    return this.#history.filter((event) => event.plural === plural && event.revision > revision);
  }

  /** Calls `listener` with every change from now on. Returns what ends that. */
  listen(listener: (event: FakeEvent) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Forgets what led to how it is now: whoever watches from before has to list again. */
  compact(): void {
    this.#history = [];
    this.#compacted = this.#revision;
  }

  /** Goes back to how it was at a revision, as a backup that is put back: versions come again. */
  restore(revision: number): void {
    for (const plural of this.#objects.keys()) {
      this.#objects.set(plural, new Map(this.#at(plural, revision)));
    }
    this.#history = [];
    this.#revision = revision;
    this.#compacted = revision;
  }

  /** Lets the revision go on without a change of what anybody here looks at. */
  skip(by: number): void {
    this.#revision += by;
  }

  /** What changes nothing makes no version. */
  #put(type: FakeEventType, plural: string, object: FakeObject): FakeObject {
    const { apiVersion, kind } = this.#definitions.get(plural)!;
    const known = this.#of(plural).get(keyOf(object));
    if (type === "MODIFIED" && known !== undefined) {
      const { resourceVersion } = known.metadata;
      const unchanged = { ...object, apiVersion, kind };
      unchanged.metadata = { ...object.metadata, resourceVersion: resourceVersion! };
      if (Bun.deepEquals(known, unchanged)) return known;
    }
    this.#revision++;
    const revision = this.#revision;
    const metadata = { ...object.metadata, resourceVersion: String(revision) };
    const stored: FakeObject = structuredClone({ ...object, apiVersion, kind, metadata });
    if (type === "DELETED") this.#of(plural).delete(keyOf(stored));
    else this.#of(plural).set(keyOf(stored), stored);
    const event = { ...{ type, plural, revision, before: known }, object: stored };
    this.#history.push(event);
    for (const listener of [...this.#listeners]) listener(event);
    return stored;
  }

  /** As it was at a revision that is not forgotten. */
  #at(plural: string, revision: number): Map<string, FakeObject> {
    const objects = new Map(this.#of(plural));
    for (const event of this.#history.toReversed()) {
      if (event.plural !== plural || event.revision <= revision) continue;
      const key = keyOf(event.object);
      if (event.before === undefined) objects.delete(key);
      else objects.set(key, event.before);
    }
    return objects;
  }

  #of(plural: string): Map<string, FakeObject> {
    const objects = this.#objects.get(plural);
    if (objects === undefined) {
      throw new FakeRefusal(404, "NotFound", "the server could not find the requested resource");
    }
    return objects;
  }

  #mustHave(plural: string, key: string): FakeObject {
    const known = this.#of(plural).get(key);
    if (known === undefined) throw new FakeRefusal(404, "NotFound", `${plural} "${key}" not found`);
    return known;
  }
}

/** @throws FakeRefusal when a change is of another version than there is */
function mustBeLatest(
  plural: string,
  known: FakeObject,
  { resourceVersion }: { resourceVersion?: string },
): void {
  if (resourceVersion === undefined || resourceVersion === known.metadata.resourceVersion) return;
  throw new FakeRefusal(
    ...([409, "Conflict"] as const),
    `Operation cannot be fulfilled on ${plural} "${known.metadata.name}": the object has been modified; please apply your changes to the latest version and try again`,
  );
}

function isVersioned(metadata: unknown): metadata is { resourceVersion: string } {
  return typeof metadata === "object" && metadata !== null && "resourceVersion" in metadata;
}

/** `<namespace>/<name>`, or the name of what has no namespace. */
export function keyOf({ metadata: { namespace, name } }: FakeObject): string {
  return namespace === undefined || namespace === "" ? name : `${namespace}/${name}`;
}

/** A node with addresses by type, as in `{ InternalIP: "10.0.0.1" }`. */
export function someNode(
  name: string,
  addresses: Readonly<Record<string, string>> = {},
): FakeObject & { kind: string } {
  return {
    kind: "Node",
    metadata: { name },
    status: {
      addresses: Object.entries(addresses).map(([type, address]) => ({ type, address })),
      conditions: [{ type: "Ready", status: "True", reason: "KubeletReady" }],
    },
  };
}

/** A pod of one container that runs. */
export function somePod(
  namespace: string,
  name: string,
  {
    ip = "",
    labels = {},
    node = "n1",
  }: { ip?: string; labels?: Record<string, string>; node?: string } = {},
): FakeObject & { kind: string } {
  return {
    kind: "Pod",
    metadata: { name, namespace, labels },
    spec: { nodeName: node, containers: [{ name: "main", ports: [{ containerPort: 80 }] }] },
    status: { phase: "Running", ...(ip !== "" && { podIP: ip, podIPs: [{ ip }] }) },
  };
}
