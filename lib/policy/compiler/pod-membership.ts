import type { Labels, Namespace, Pod, Selector } from "../objects.ts";
import type { PodQuery } from "../peer-term.ts";
import { selectorKey, selects } from "../selector.ts";
import { SelectorIndex } from "./selector-index.ts";

/** A query that somebody wants answered, with its answer. */
interface Entry {
  readonly query: PodQuery;
  readonly members: Set<Member>;
  users: number;
}

interface Member {
  pod: Pod;
  queries: Set<Entry>;
}

/** Queries about pods of the same namespaces. */
interface Scope {
  readonly selector: Selector;
  readonly index: SelectorIndex<Entry>;
}

/**
 * Keeps up to date which pods each query is about, whatever comes first: a pod, its namespace, or who
 * asks. A pod that changes costs what the queries cost that may be about it.
 *
 *   namespace ─┬─ queries of this one by name ────────────┐
 *              └─ scopes: selectors that select it ─ each ─┴─▶ index over pod selectors
 */
export class PodMembership {
  readonly #namespaces = new Map<string, Labels>();
  readonly #members = new Map<string, Member>();
  readonly #byNamespace = new Map<string, Set<Member>>();
  readonly #entries = new Map<string, Entry>();
  readonly #named = new Map<string, SelectorIndex<Entry>>();
  readonly #scopes = new Map<string, Scope>();
  readonly #scopeIndex = new SelectorIndex<Scope>();

  pod(id: string): Pod | undefined {
    return this.#members.get(id)?.pod;
  }

  /** Those whose namespace has this name, known or not. */
  podsIn(namespace: string): Pod[] {
    return [...(this.#byNamespace.get(namespace) ?? [])].map(({ pod }) => pod);
  }

  /** Queries that are about a pod. */
  *queriesOf(id: string): Iterable<PodQuery> {
    for (const { query } of this.#members.get(id)?.queries ?? []) yield query;
  }

  /** Pods that a query is about, one that has been asked for. */
  *membersOf(key: string): Iterable<Pod> {
    for (const { pod } of this.#entries.get(key)?.members ?? []) yield pod;
  }

  /** Whether queries are about other pods than now once a namespace has these labels, or is gone. */
  wouldMove(namespace: string, labels: Labels | undefined): boolean {
    const before = this.#scopesOf(this.#namespaces.get(namespace));
    const after = this.#scopesOf(labels);
    return before.length !== after.length || before.some((scope) => !after.includes(scope));
  }

  putNamespace({ name, labels }: Namespace): void {
    const moves = this.wouldMove(name, labels);
    this.#namespaces.set(name, labels);
    if (moves) for (const member of this.#byNamespace.get(name) ?? []) this.#place(member);
  }

  removeNamespace(name: string): void {
    const moves = this.wouldMove(name, undefined);
    this.#namespaces.delete(name);
    if (moves) for (const member of this.#byNamespace.get(name) ?? []) this.#place(member);
  }

  putPod(pod: Pod): void {
    const known = this.#members.get(pod.id);
    if (known !== undefined && known.pod.namespace !== pod.namespace) this.removePod(pod.id);
    const member = this.#members.get(pod.id) ?? { pod, queries: new Set() };
    member.pod = pod;
    this.#members.set(pod.id, member);
    valueAt(this.#byNamespace, pod.namespace, () => new Set<Member>()).add(member);
    this.#place(member);
  }

  removePod(id: string): void {
    const member = this.#members.get(id);
    if (member === undefined) return;
    for (const entry of member.queries) entry.members.delete(member);
    this.#members.delete(id);
    const others = this.#byNamespace.get(member.pod.namespace)!;
    others.delete(member);
    if (others.size === 0) this.#byNamespace.delete(member.pod.namespace);
  }

  /** Asks for a query, once more if it has been asked for: to be {@link release}d as often. */
  acquire(query: PodQuery): void {
    const known = this.#entries.get(query.key);
    if (known !== undefined) {
      known.users += 1;
      return;
    }
    const entry: Entry = { query, members: new Set(), users: 1 };
    this.#entries.set(query.key, entry);
    this.#indexFor(query).add(query.pods, entry);
    for (const namespace of this.#namespacesOf(query)) {
      for (const member of this.#byNamespace.get(namespace) ?? []) {
        if (!selects(query.pods, member.pod.labels)) continue;
        entry.members.add(member);
        member.queries.add(entry);
      }
    }
  }

  release({ key }: PodQuery): void {
    const entry = this.#entries.get(key)!;
    entry.users -= 1;
    if (entry.users > 0) return;
    this.#entries.delete(key);
    for (const member of entry.members) member.queries.delete(entry);
    const { query } = entry;
    this.#indexFor(query).remove(query.pods, entry);
    this.#forgetIndexIfEmpty(query);
  }

  /** Makes out anew which queries are about a pod. */
  #place(member: Member): void {
    const next = new Set(this.#queriesAbout(member.pod));
    for (const entry of member.queries) if (!next.has(entry)) entry.members.delete(member);
    for (const entry of next) entry.members.add(member);
    member.queries = next;
  }

  *#queriesAbout({ namespace, labels }: Pod): Iterable<Entry> {
    yield* this.#named.get(namespace)?.matching(labels) ?? [];
    for (const scope of this.#scopesOf(this.#namespaces.get(namespace))) {
      yield* scope.index.matching(labels);
    }
  }

  /** Of a namespace that nobody has told of yet it cannot be said what selects it. */
  #scopesOf(labels: Labels | undefined): Scope[] {
    return labels === undefined ? [] : this.#scopeIndex.matching(labels);
  }

  *#namespacesOf({ namespaces }: PodQuery): Iterable<string> {
    if ("name" in namespaces) {
      yield namespaces.name;
      return;
    }
    for (const [name, labels] of this.#namespaces) {
      if (selects(namespaces.selector, labels)) yield name;
    }
  }

  #indexFor({ namespaces }: PodQuery): SelectorIndex<Entry> {
    if ("name" in namespaces) {
      return valueAt(this.#named, namespaces.name, () => new SelectorIndex<Entry>());
    }
    const { selector } = namespaces;
    return valueAt(this.#scopes, selectorKey(selector), () => {
      const scope = { selector, index: new SelectorIndex<Entry>() };
      this.#scopeIndex.add(selector, scope);
      return scope;
    }).index;
  }

  #forgetIndexIfEmpty({ namespaces }: PodQuery): void {
    if ("name" in namespaces) {
      if (this.#named.get(namespaces.name)?.isEmpty) this.#named.delete(namespaces.name);
      return;
    }
    const key = selectorKey(namespaces.selector);
    const scope = this.#scopes.get(key);
    if (scope === undefined || !scope.index.isEmpty) return;
    this.#scopes.delete(key);
    this.#scopeIndex.remove(scope.selector, scope);
  }
}

function valueAt<Key, Value>(map: Map<Key, Value>, key: Key, make: () => Value): Value {
  const known = map.get(key);
  if (known !== undefined) return known;
  const value = make();
  map.set(key, value);
  return value;
}
