import { assert } from "../base/errors.ts";
import type { Ipv4 } from "../base/ip.ts";
import type { PeerName } from "../base/peer-name.ts";
import { type AddressNews, AddressTeller } from "./address-news.ts";
import { AddressSet } from "./address-set.ts";
import type { AllocatorChange } from "./allocator-store.ts";
import { type HeldAddress, HeldAddresses } from "./held-addresses.ts";
import { type AddressRange, rangeSize } from "./range.ts";
import { rebaseRing } from "./reclaim-rebase.ts";
import { Ring } from "./ring.ts";
import type { RingState } from "./ring-entry.ts";
import {
  checkRelated,
  type MergeContext,
  type MergedRing,
  mergeRings,
  mergeUndisputed,
} from "./ring-merge.ts";
import { Space } from "./space.ts";

/**
 * Ring, local space and held addresses, kept in agreement:
 *
 *   own ranges of the ring  =  owned part of the space
 *   allocated in the space  =  held addresses inside own ranges
 *
 * It also knows what of all this is not stored yet.
 */
export class Ledger {
  readonly ring: Ring;
  readonly space = new Space();
  readonly held = new HeldAddresses();
  readonly teller: AddressTeller;
  /** Not stored yet. An address may be in both: released, and then acquired anew. */
  readonly #removedRows = new Set<Ipv4>();
  readonly #addedRows = new Map<Ipv4, HeldAddress>();
  #heldInside = 0;
  #ringChange: "none" | "counts" | "owners" = "none";
  #reset = false;
  #ringChanges = 0;

  constructor(self: PeerName, universe: AddressRange, news?: AddressNews) {
    this.ring = new Ring(self, universe);
    this.teller = new AddressTeller(this.held, news);
  }

  /** Grows whenever somebody's ranges may have become others. */
  get ringChanges(): number {
    return this.#ringChanges;
  }

  get hasRing(): boolean {
    return !this.ring.isEmpty;
  }

  /** Addresses held that are not in our ranges: claimed outside the universe, or lost. */
  get heldOutside(): number {
    return this.held.size - this.#heldInside;
  }

  /** Starts from stored data that need not be stored again. Of several holders the first counts. */
  restore(ring: RingState, held: readonly HeldAddress[]): void {
    this.ring.replace(ring);
    for (const row of held) {
      if (this.held.holderOf(row.cidr.address) === undefined) this.held.add(row);
    }
    this.#follow();
  }

  /** What is stored is not worth keeping. */
  discardStored(): void {
    this.#reset = true;
  }

  /** Has the ring stored with the next change. */
  storeRing(): void {
    this.#ringChange = "owners";
  }

  /** Records a holder of an address that nobody holds; it is free, or not in our ranges. */
  hold(row: HeldAddress): void {
    if (row.isContainer) this.markContainer(row.ident);
    const isContainer = row.isContainer || this.held.isContainer(row.ident);
    const { address } = row.cidr;
    this.held.add({ ...row, isContainer });
    if (this.space.take(address)) this.#heldInside++;
    this.#addedRows.set(address, { ...row, isContainer });
  }

  markContainer(ident: string): void {
    for (const row of this.held.markContainer(ident)) this.#addedRows.set(row.cidr.address, row);
  }

  /** Whether the address was held. */
  release(address: Ipv4): boolean {
    this.teller.released(address);
    if (!this.held.remove(address)) return false;
    if (this.space.release(address)) this.#heldInside--;
    this.#addedRows.delete(address);
    this.#removedRows.add(address);
    return true;
  }

  seed(peers: readonly PeerName[]): void {
    this.ring.seed(peers);
    this.#ownersChanged();
  }

  /** Hands free addresses of ours to another peer. */
  grant(range: AddressRange, to: PeerName): void {
    assert(!this.space.isInUse(range), "only free addresses are given away");
    this.ring.grant(range, to);
    this.#ownersChanged();
  }

  transfer(from: PeerName, to: PeerName): AddressRange[] {
    const ranges = this.ring.transfer(from, to);
    this.#ownersChanged();
    return ranges;
  }

  /** Hands `moved` to `to`, whoever owns it. What is held of ours there is no longer; returns it. */
  assign(moved: AddressSet, to: PeerName): HeldAddress[] {
    const heldBefore = this.held.addresses.intersection(this.space.owned);
    this.ring.assign(moved, to);
    this.#ownersChanged();
    return this.#letGo(heldBefore.difference(this.space.owned));
  }

  /** Whether the received ring said anything new. @throws WeaveError as {@link mergeRings} */
  merge(theirs: RingState, describe: (peer: PeerName) => string): boolean {
    if (this.ring.outbidEchoes(theirs.entries) && this.#ringChange === "none") {
      this.#ringChange = "counts";
    }
    return this.#adopt(mergeRings(this.ring.state(), theirs, this.#mergeContext(describe)));
  }

  /** Whether there was news in what a refused ring says of ranges that are not ours. */
  mergeUndisputed(theirs: RingState, describe: (peer: PeerName) => string): boolean {
    const merged = mergeUndisputed(this.ring.state(), theirs, this.#mergeContext(describe));
    return merged !== undefined && this.#adopt(merged);
  }

  /**
   * Goes on with the ring of others, who took ranges while we were away: all of ours if
   * `options.yieldsAll`. Addresses held there are no longer held; returns them.
   *
   * @throws WeaveError as {@link checkRelated}
   */
  rebase(
    theirs: RingState,
    confirmed: AddressSet,
    options: { yieldsAll: boolean; describe: (peer: PeerName) => string },
  ): HeldAddress[] {
    const ours = this.ring.state();
    checkRelated(ours, theirs, this.#mergeContext(options.describe));
    const entries = options.yieldsAll
      ? theirs.entries
      : rebaseRing(ours, theirs, this.ring.self, confirmed);
    const heldBefore = this.held.addresses.intersection(this.space.owned);
    this.ring.replace({ entries, seeds: theirs.seeds });
    this.#ownersChanged();
    return this.#letGo(heldBefore.difference(this.space.owned));
  }

  #letGo(addresses: AddressSet): HeldAddress[] {
    const rows: HeldAddress[] = [];
    for (const { ident, cidrs } of this.held.list()) {
      const isContainer = this.held.isContainer(ident);
      for (const cidr of cidrs) {
        if (addresses.has(cidr.address)) rows.push({ ident, isContainer, cidr });
      }
    }
    for (const { cidr } of rows) this.release(cidr.address);
    return rows;
  }

  /** Writes the number of free addresses of ranges where it may have changed into the ring. */
  reportFree(): void {
    const changes = this.space.takeChanges();
    if (changes === "everywhere") {
      for (let index = 0; index < this.ring.entries.length; index++) this.#reportEntry(index);
      return;
    }
    for (const { start } of changes) this.#reportEntry(this.ring.indexOf(start));
  }

  /**
   * What is to be stored. Counts of free addresses alone wait for `withCounts`: they change with
   * every allocation, and a peer that comes back with old ones outbids what others remember.
   */
  unsaved(withCounts: boolean): AllocatorChange | undefined {
    const storesRing =
      this.#ringChange === "owners" || (this.#ringChange === "counts" && withCounts) || this.#reset;
    if (!storesRing && this.#removedRows.size + this.#addedRows.size === 0) return undefined;
    return {
      self: this.ring.self,
      reset: this.#reset,
      ring: storesRing && this.hasRing ? this.ring.state() : undefined,
      removed: [...this.#removedRows],
      added: [...this.#addedRows.values()],
    };
  }

  /** A change of nothing, for what else is stored with changes. */
  noChange(): AllocatorChange {
    return { self: this.ring.self, reset: false, ring: undefined, removed: [], added: [] };
  }

  /** `change`, the last answer of {@link unsaved}, is stored. */
  saved(change: AllocatorChange): void {
    this.#removedRows.clear();
    this.#addedRows.clear();
    this.#reset = false;
    if (change.ring !== undefined) this.#ringChange = "none";
  }

  /** The invariants that cost little; run after every action. */
  assertBalanced(): void {
    assert(
      this.space.allocatedSize === this.#heldInside,
      `${this.space.allocatedSize} addresses are allocated, ${this.#heldInside} are held`,
    );
  }

  /** All invariants. */
  assertConsistent(): void {
    this.assertBalanced();
    const owned = AddressSet.of(this.ring.rangesOf(this.ring.self));
    assert(owned.equals(this.space.owned), "the local space is not what the ring says");
    const allocated = this.space.owned.difference(this.space.free);
    const inside = this.held.addresses.intersection(owned);
    assert(allocated.equals(inside), "allocated addresses are not those held");
    assert(this.space.free.difference(owned).size === 0, "free addresses are not ours");
  }

  #adopt(merged: MergedRing): boolean {
    this.ring.replace(merged);
    if (merged.changed) this.#ownersChanged();
    return merged.changed;
  }

  #mergeContext(describe: (peer: PeerName) => string): MergeContext {
    return {
      self: this.ring.self,
      isInUse: (range) => rangeSize(range) > 0 && this.space.isInUse(range),
      describe,
    };
  }

  #ownersChanged(): void {
    this.#follow();
    this.#ringChange = "owners";
  }

  /** The space follows the ring in both directions. */
  #follow(): void {
    this.#ringChanges++;
    const owned = AddressSet.of(this.ring.rangesOf(this.ring.self));
    this.space.follow(owned, this.held.addresses);
    this.#heldInside = this.held.addresses.intersection(owned).size;
  }

  #reportEntry(index: number): void {
    if (this.ring.entries[index]?.peer !== this.ring.self) return;
    let free = 0;
    for (const range of this.ring.entryRanges(index)) free += this.space.free.countIn(range);
    if (this.ring.reportFree(index, free) && this.#ringChange === "none") {
      this.#ringChange = "counts";
    }
  }
}
