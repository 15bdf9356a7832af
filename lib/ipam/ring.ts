import type { Ipv4 } from "../base/ip.ts";
import type { PeerName } from "../base/peer-name.ts";
import { type Random, randomUnit } from "../base/random.ts";
import type { AddressSet } from "./address-set.ts";
import { type AddressRange, overlaps, rangeSize } from "./range.ts";
import {
  entryRanges,
  entrySize,
  type RingEntry,
  type RingState,
  raisedVersion,
  rangesOwned,
} from "./ring-entry.ts";
import { normalizeSeeds, seedEntries } from "./seeding.ts";

/**
 * Who owns which addresses (ipam §7).
 *
 *   start                                                        end
 *     │ token 0          │ token 1    │ token 2                   │
 *     ├──────────────────┼────────────┼───────────────────────────┤
 *        owner 0            owner 1      owner 2, up to token 0
 *
 * With one entry or more every address has an owner. Entries are never removed: other peers keep
 * every token that they have seen.
 */
export class Ring {
  readonly self: PeerName;
  readonly #universe: AddressRange;
  #entries: RingEntry[] = [];
  #seeds: readonly PeerName[] = [];

  constructor(self: PeerName, universe: AddressRange) {
    this.self = self;
    this.#universe = universe;
  }

  get universe(): AddressRange {
    return this.#universe;
  }

  get entries(): readonly RingEntry[] {
    return this.#entries;
  }

  get seeds(): readonly PeerName[] {
    return this.#seeds;
  }

  get isEmpty(): boolean {
    return this.#entries.length === 0;
  }

  /** A copy to store or send. */
  state(): RingState {
    return { universe: this.#universe, entries: [...this.#entries], seeds: this.#seeds };
  }

  /** Takes over a checked ring; its range is ours. */
  replace(ring: Pick<RingState, "entries" | "seeds">): void {
    this.#entries = [...ring.entries];
    this.#seeds = ring.seeds;
  }

  /** Divides the universe among `peers`. */
  seed(peers: readonly PeerName[]): void {
    this.#seeds = normalizeSeeds(peers);
    this.#entries = seedEntries(this.#universe, this.#seeds);
  }

  /** Index of the entry that holds `address` of the universe; −1 for an empty ring. */
  indexOf(address: Ipv4): number {
    const after = this.#firstIndex((token) => token > address);
    return after === 0 ? this.#entries.length - 1 : after - 1;
  }

  ownerOf(address: Ipv4): PeerName | undefined {
    return this.#entries[this.indexOf(address)]?.peer;
  }

  /** Ascending, one per entry and not joined; a range that wraps counts as two. */
  rangesOf(peer: PeerName): AddressRange[] {
    return rangesOwned(this.#entries, peer, this.#universe);
  }

  entryRanges(index: number): AddressRange[] {
    return entryRanges(this.#entries, index, this.#universe);
  }

  hasEntryOf(peer: PeerName): boolean {
    return this.#entries.some((entry) => entry.peer === peer);
  }

  /** Hands `range`, which is ours, to `to` (ipam §7.2). */
  grant(range: AddressRange, to: PeerName): void {
    const { start, end } = range;
    const index = this.indexOf(start);
    const entry = this.#entries[index]!;
    const at = this.#firstIndex((token) => token > start);
    const next = this.#entries[at]?.token ?? this.#universe.end;
    const free = Math.min(next - start, end - start);
    const version = raisedVersion(entry.version);
    if (entry.token === start) {
      this.#entries[index] = { ...entry, peer: to, version, free };
    } else {
      this.#entries[index] = { ...entry, version, free: this.#distance(entry.token, start) };
      this.#entries.splice(at, 0, { token: start, peer: to, version: 0, free });
    }
    this.#handOverTokens(start, end, to);
    this.#markEnd(end);
  }

  /** Tokens inside the granted range change hands with it. */
  #handOverTokens(start: Ipv4, end: number, to: PeerName): void {
    const from = this.#firstIndex((token) => token > start);
    for (let at = from; at < this.#entries.length && this.#entries[at]!.token < end; at++) {
      const entry = this.#entries[at]!;
      const free = Math.min(entry.free, end - entry.token);
      this.#entries[at] = { ...entry, peer: to, version: raisedVersion(entry.version), free };
    }
  }

  /** What follows the granted range stays ours and needs a token of its own. */
  #markEnd(end: number): void {
    const token = end === this.#universe.end ? this.#universe.start : end;
    const index = this.#firstIndex((other) => other >= token);
    if (this.#entries[index]?.token === token) return;
    this.#entries.splice(index, 0, { token, peer: this.self, version: 0, free: 0 });
    const free = entrySize(this.#entries, index, this.#universe);
    this.#entries[index] = { token, peer: this.self, version: 0, free };
  }

  /**
   * Makes `to` the owner of everything that `from` owns. Versions go up by 100 so that they win over
   * what the old owner may be reporting at the same time. Returns the ranges concerned.
   */
  transfer(from: PeerName, to: PeerName): AddressRange[] {
    const ranges = this.rangesOf(from);
    this.#entries = this.#entries.map((entry) =>
      entry.peer === from
        ? { ...entry, peer: to, version: raisedVersion(entry.version, transferVersionStep) }
        : entry,
    );
    return ranges;
  }

  /**
   * Makes `to` the owner of `moved`, however it is divided here. Versions go up by so much that not
   * even a peer that heard an owner for days after everybody else can hold on to it.
   */
  assign(moved: AddressSet, to: PeerName): void {
    for (const { start, end } of moved.ranges(this.#universe)) {
      this.#divide(start, moved);
      this.#divide(end === this.#universe.end ? this.#universe.start : end, moved);
    }
    this.#entries = this.#entries.map((entry) =>
      moved.has(entry.token)
        ? { ...entry, peer: to, version: raisedVersion(entry.version, assignVersionStep) }
        : entry,
    );
  }

  /** Has an entry begin at `token` if only one side of it is moved. */
  #divide(token: Ipv4, moved: AddressSet): void {
    const before = (token === this.#universe.start ? this.#universe.end : token) - 1;
    const index = this.indexOf(token);
    const entry = this.#entries[index]!;
    if (entry.token === token || moved.has(before) === moved.has(token)) return;
    const at = this.#firstIndex((other) => other > token);
    this.#entries.splice(at, 0, { ...entry, token, version: 0 });
    const old = at <= index ? index + 1 : index;
    this.#entries[old] = { ...entry, version: raisedVersion(entry.version) };
    for (const each of [old, at]) this.#clip(each);
  }

  #clip(index: number): void {
    const size = entrySize(this.#entries, index, this.#universe);
    const entry = this.#entries[index]!;
    this.#entries[index] = { ...entry, free: Math.min(entry.free, size) };
  }

  /** Notes that `free` addresses of entry `index` are not in use; whether that was news. */
  reportFree(index: number, free: number): boolean {
    const entry = this.#entries[index]!;
    if (entry.free === free) return false;
    this.#entries[index] = { ...entry, version: raisedVersion(entry.version), free };
    return true;
  }

  /**
   * Others may remember a report of an earlier life of ours that was never stored, under a version
   * that means something else by now. When it has more free addresses than the range still holds,
   * they refuse every ring over it: ours gets a version of its own. Returns whether there was one.
   */
  outbidEchoes(theirs: readonly RingEntry[]): boolean {
    let found = false;
    for (const { token, peer, version, free } of theirs) {
      if (peer !== this.self) continue;
      const index = this.indexOf(token);
      const our = this.#entries[index];
      const isSame = our?.token === token && our.peer === peer && our.version === version;
      if (!isSame || free <= entrySize(this.#entries, index, this.#universe)) continue;
      this.#entries[index] = { ...our, version: raisedVersion(version) };
      found = true;
    }
    return found;
  }

  /**
   * Peers that may have free addresses in `range`, with how many they have in the entries that it
   * touches. The order is random, weighted by that number, so that askers spread.
   */
  donors(range: AddressRange, random: Random): { peer: PeerName; free: number }[] {
    const freeOf = new Map<PeerName, number>();
    for (const [index, { token, peer, free }] of this.#entries.entries()) {
      const next = this.#entries[index + 1]?.token ?? Number.POSITIVE_INFINITY;
      if (free === 0 || peer === this.self || !overlaps({ start: token, end: next }, range)) {
        continue;
      }
      freeOf.set(peer, (freeOf.get(peer) ?? 0) + free);
    }
    return [...freeOf]
      .map(([peer, free]) => ({ peer, free, weight: free * randomUnit(random) }))
      .sort((a, b) => b.weight - a.weight)
      .map(({ peer, free }) => ({ peer, free }));
  }

  /** The first other owner, in order of tokens, that is `acceptable`. */
  heir(acceptable: (peer: PeerName) => boolean): PeerName | undefined {
    return this.#entries.find(({ peer }) => peer !== this.self && acceptable(peer))?.peer;
  }

  /** Addresses from `from` up to `to`, around the end of the universe if need be. */
  #distance(from: Ipv4, to: Ipv4): number {
    return to >= from ? to - from : rangeSize(this.#universe) - (from - to);
  }

  /** Lowest index whose token passes a test that, once passed, all later tokens pass. */
  #firstIndex(passes: (token: Ipv4) => boolean): number {
    let from = 0;
    let to = this.#entries.length;
    while (from < to) {
      const middle = (from + to) >>> 1;
      if (passes(this.#entries[middle]!.token)) to = middle;
      else from = middle + 1;
    }
    return from;
  }
}

const transferVersionStep = 100;
const assignVersionStep = 2 ** 20;
