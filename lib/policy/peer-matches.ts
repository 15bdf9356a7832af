import { type Cidr, cidrContains, formatCidr } from "../base/ip.ts";
import type { Peer } from "./objects.ts";
import { type PeerTerm, termOf } from "./peer-term.ts";
import type { PeerMatch, SetKey } from "./rule-set.ts";

/** Addresses of some pods and machines together: the terms, any of which an address may be in for. */
export interface AddressQuery {
  readonly key: SetKey;
  readonly terms: readonly PeerTerm[];
}

/** Gathers the peers of rules that have all else in common, so that they become few matches. */
export class PeerMatches {
  #isAny = false;
  readonly #terms = new Map<string, PeerTerm>();
  readonly #blocks = new Map<string, PeerMatch>();

  add(peers: "any" | readonly Peer[], own: string | undefined): this {
    if (peers === "any") this.#isAny = true;
    else for (const peer of peers) this.#addPeer(peer, own);
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

  #addPeer(peer: Peer, own: string | undefined): void {
    if (peer.kind === "block") {
      const match = blockMatch(peer.block, peer.except);
      if (match !== undefined) this.#blocks.set(blockKey(match), match);
      return;
    }
    const term = termOf(peer, own);
    if (term !== undefined) this.#terms.set(term.key, term);
  }
}

type BlockMatch = PeerMatch & { kind: "block" };

/**
 * A block without exceptions that are outside of it or within others; `undefined` when nothing is
 * left of it.
 */
export function blockMatch(block: Cidr, except: readonly Cidr[]): BlockMatch | undefined {
  if (except.some((each) => covers(each, block))) return undefined;
  const inside = except.filter((each) => covers(block, each));
  const distinct = new Map(inside.map((each) => [formatCidr(each), each]));
  const widest = [...distinct.values()].filter(
    (each) => ![...distinct.values()].some((other) => other !== each && covers(other, each)),
  );
  const byText = (a: Cidr, b: Cidr): number => (formatCidr(a) < formatCidr(b) ? -1 : 1);
  return { kind: "block", block, except: widest.sort(byText) };
}

function covers(outer: Cidr, inner: Cidr): boolean {
  return outer.prefix <= inner.prefix && cidrContains(outer, inner.address);
}

function blockKey({ block, except }: BlockMatch): string {
  return [block, ...except].map(formatCidr).join(" ");
}
