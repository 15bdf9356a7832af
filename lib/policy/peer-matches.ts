import { type Cidr, cidrContains, formatCidr } from "../base/ip.ts";
import type { PeerTerm } from "./peer-term.ts";
import type { PeerMatch, SetKey } from "./rule-set.ts";

/** Addresses of some pods and machines together: the terms, any of which an address may be in for. */
export interface AddressQuery {
  readonly key: SetKey;
  readonly terms: readonly PeerTerm[];
}

export interface BlockMatch {
  /** Equal for blocks that have the same addresses left. */
  readonly key: string;
  readonly match: PeerMatch & { readonly kind: "block" };
}

/** Gathers the peers of rules that have all else in common, so that they become few matches. */
export class PeerMatches {
  #isAny = false;
  readonly #terms = new Map<string, PeerTerm>();
  readonly #blocks = new Map<string, PeerMatch>();

  add(peers: {
    readonly isAny: boolean;
    readonly terms: readonly PeerTerm[];
    readonly blocks: readonly BlockMatch[];
  }): this {
    this.#isAny ||= peers.isAny;
    for (const term of peers.terms) this.#terms.set(term.key, term);
    for (const { key, match } of peers.blocks) this.#blocks.set(key, match);
    return this;
  }

  get isAny(): boolean {
    return this.#isAny;
  }

  /** All pods and machines in one set, and each block by itself. */
  matches(): { readonly peers: readonly PeerMatch[]; readonly query?: AddressQuery } {
    if (this.#isAny) return { peers: [{ kind: "any" }] };
    const blocks = [...this.#blocks.keys()].sort().map((key) => this.#blocks.get(key)!);
    if (this.#terms.size === 0) return { peers: blocks };
    const keys = [...this.#terms.keys()].sort();
    const query = { key: JSON.stringify(keys), terms: keys.map((key) => this.#terms.get(key)!) };
    return { peers: [{ kind: "set", set: query.key }, ...blocks], query };
  }
}

/** A block without exceptions that are within others; none when nothing is left of it. */
export function blockMatch(block: Cidr, except: readonly Cidr[]): BlockMatch[] {
  if (except.some((each) => covers(each, block))) return [];
  const distinct = new Map(except.map((each) => [formatCidr(each), each]));
  const inside = [...distinct].filter(([, each]) => covers(block, each));
  const widest = inside
    .filter(([text, each]) => !inside.some(([other, it]) => other !== text && covers(it, each)))
    .sort(([a], [b]) => (a < b ? -1 : 1));
  const key = [formatCidr(block), ...widest.map(([text]) => text)].join(" ");
  return [{ key, match: { kind: "block", block, except: widest.map(([, each]) => each) } }];
}

function covers(outer: Cidr, inner: Cidr): boolean {
  return outer.prefix <= inner.prefix && cidrContains(outer, inner.address);
}
