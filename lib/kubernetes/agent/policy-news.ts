import { isDeepStrictEqual } from "node:util";
import type { EventSink } from "../../base/network-event.ts";
import type { PolicyInput } from "../../daemon/policy/policy-input.ts";
import type { PolicyName } from "../../policy/policy-name.ts";

/**
 * Passes on what the API server tells of policies, and tells what that changed: not of the first list,
 * nor of an object that says the same as before.
 *
 *   PolicyFeed ─▶ NewsOfPolicies ─┬─▶ input
 *                                 └─▶ events
 */
export class NewsOfPolicies<T> implements PolicyInput<T> {
  readonly #input: PolicyInput<T>;
  readonly #keyOf: (policy: T) => string;
  readonly #nameOf: (policy: T) => PolicyName;
  readonly #emit: EventSink;
  #known = new Map<string, T>();

  constructor(
    input: PolicyInput<T>,
    parts: {
      keyOf(policy: T): string;
      nameOf(policy: T): PolicyName;
      readonly emit: EventSink;
    },
  ) {
    this.#input = input;
    this.#keyOf = parts.keyOf;
    this.#nameOf = parts.nameOf;
    this.#emit = parts.emit;
  }

  /** Called once: what later lists have changed is told of piece by piece. */
  replaced(all: readonly T[]): void {
    this.#known = new Map(all.map((policy) => [this.#keyOf(policy), policy]));
    this.#input.replaced(all);
  }

  put(policy: T): void {
    const key = this.#keyOf(policy);
    const before = this.#known.get(key);
    this.#known.set(key, policy);
    this.#input.put(policy);
    if (isDeepStrictEqual(before, policy)) return;
    const change = before === undefined ? "created" : "changed";
    this.#emit("policy.applied", { ...this.#details(policy), change });
  }

  removed(key: string): void {
    const gone = this.#known.get(key);
    this.#known.delete(key);
    this.#input.removed(key);
    if (gone !== undefined) this.#emit("policy.deleted", this.#details(gone));
  }

  #details(policy: T) {
    const { kind, namespace = "", name } = this.#nameOf(policy);
    // An API server does not say at which host somebody asked it.
    return { kind, namespace, name, peer: "", nickname: "" };
  }
}
